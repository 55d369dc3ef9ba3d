/**
 * `<Picture>` for React: AVIF, WebP and the original's format in several widths, with a placeholder while it loads.
 *
 *     <Picture image="photos/cat.jpg" alt="A cat" widths={[320, 640, 1280]} sizes="50vw" thumbHash="1QcSHQRnh493V4dIh4eXh1h4kJUI" />
 */
import { createElement, type ImgHTMLAttributes, type ReactElement } from "react";
import { picture, type ImageOptions, type PictureOptions } from "./index.js";
import { blurHashUrl, thumbHashUrl } from "./placeholder.js";

export interface PictureProps extends Omit<ImgHTMLAttributes<HTMLImageElement>, "src" | "srcSet" | "placeholder"> {
  /** The key of the image. */
  image: string;
  alt: string;
  widths: readonly number[];
  formats?: PictureOptions["formats"];
  /** Edits of the image. */
  edits?: ImageOptions;
  /** The origin of the deployment. */
  base?: string;
  /** What `?info=true` answers as `thumbHash`, or as `blurHash`: a blurred picture while it loads. */
  thumbHash?: string;
  blurHash?: string;
}

/** Return a `<picture>`; all other properties are those of its `<img>`. */
export function Picture(props: PictureProps): ReactElement {
  const { image, widths, formats, edits, base, thumbHash, blurHash, sizes, style, ...img } = props;
  const described = picture(image, { ...edits, widths, ...(formats ? { formats } : {}) }, base);
  const placeholder = thumbHash ? thumbHashUrl(thumbHash) : blurHash ? blurHashUrl(blurHash) : null;
  const background = placeholder && { backgroundImage: `url(${placeholder})`, backgroundSize: "cover" };
  return createElement(
    "picture",
    null,
    ...described.sources.map(({ type, srcset }) => createElement("source", { key: type, type, srcSet: srcset, sizes })),
    createElement("img", {
      loading: "lazy",
      decoding: "async",
      ...img,
      key: "img",
      sizes,
      srcSet: described.img.srcset,
      src: described.img.src,
      style: { ...background, ...style },
    }),
  );
}
