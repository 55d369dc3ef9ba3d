// Generated from the code of the service: make reference

/** A length: a number of pixels, or text such as `"25p"` for 25 % of the image. */
export type Length = number | string;

/** What a parameter takes; a list is written with commas. */
export type OptionValue = string | number | boolean | readonly (string | number)[];

/** Blur, pixelate, refuse or report images in which Amazon Rekognition finds inappropriate content. */
export interface ContentModerationOptions {
  /** Minimum confidence of a label that counts. Default: 75.0. */
  minConfidence?: number;
  /** Labels that count, as Rekognition spells them; a parent label includes its child labels. Default: all labels. */
  labels?: string | readonly string[];
  /** Labels that count, as Rekognition spells them; a parent label includes its child labels. Default: all labels. */
  moderationLabels?: string | readonly string[];
  /** blur: blur the image; pixelate: show it as coarse squares; reject: answer 403 with the names of the labels; report: answer the labels of every image as JSON. Default: "blur". */
  action?: "blur" | "pixelate" | "reject" | "report";
  /** Standard deviation of the Gaussian that action blur uses, in pixels of the original; it grows in proportion to the longer side if that is more than 500 pixels. Default: 50.0. */
  blur?: number;
}

/** Hide regions of the image and detected faces, objects or text for good, before any other edit. */
export interface RedactOptions {
  /** What to find and hide: faces, objects or text. Default: faces, if no areas are given. */
  detect?: string | readonly string[];
  /** Objects that count, as Rekognition names them, such as Car; a parent includes its children. Default: all objects. */
  labels?: string | readonly string[];
  /** Regions to hide: left, top, width and height of each in pixels or percent of the upright original. */
  areas?: string;
  /** blur: smooth squares; pixelate: squares; fill: one colour, which suits text best. Default: "blur". */
  mode?: "blur" | "pixelate" | "fill";
  /** Squares along the longer side of a region, for blur and pixelate. Default: 5. */
  squares?: number;
  /** Opaque colour of mode fill, and of the lines of draw. Default: "000000". */
  color?: string;
  /** Opaque colour of mode fill, and of the lines of draw. Default: "000000". */
  colour?: string;
  /** Shape of what is hidden: the region, or an ellipse within it. Default: "box". */
  shape?: "box" | "ellipse";
  /** Space that is hidden around each region, in pixels or in percent of its sides. Default: 25 % around faces, 10 % around objects and text, none around areas. */
  margin?: Length;
  /** Hide what is detected in overlays as well, which ALWAYS needs where clients name them. Default: false. */
  overlays?: boolean;
  /** Draw the boxes instead, to check what is found. Needs a signature or the operator's token, unless PUBLIC_FEATURES lists `redact`. Default: false. */
  draw?: boolean;
}

/** Crop around the most important part, before any other edit: faces, objects or the salient region. */
export interface SmartCroppingOptions {
  /** What to crop around. auto: faces or, with Rekognition and without faces, objects. If nothing is found, the salient region is used. Default: "auto". */
  subject?: "auto" | "faces" | "objects" | "salient";
  /** Width of the result. */
  width?: number;
  /** Height of the result. */
  height?: number;
  /** A single face, counted from 0: the largest first, or in Rekognition's order. Default: all faces together. */
  faceIndex?: number;
  /** Space around the region, in pixels or in percent of its sides, as far as the image reaches. Default: 50 % if width and height are given, otherwise 0. */
  padding?: Length;
  /** Objects to crop around, by the names that Rekognition has for them and for the classes above them, such as Car or Animal; with auto they come before faces. Default: the most prominent objects. */
  labels?: string | readonly string[];
  /** How much of the crop the subject takes, on the side on which it takes more; replaces padding, and may enlarge the original. */
  zoom?: number;
  /** Where the subject stands in the crop, as far as the image reaches: 0 at the left edge, 50 in the middle, 100 at the right edge. */
  placeX?: number;
  /** The same vertically: 0 at the top, 100 at the bottom. Default: faces slightly above the middle. */
  placeY?: number;
}

/** Trim edges of one colour, and transparent edges; an image without any other content is not changed. */
export interface TrimOptions {
  /** Largest difference from the background colour that counts as background, in levels of 0 to 255. Default: 10.0. */
  threshold?: number;
  /** Colour of the edges. Default: the colour of the pixel in the corner. */
  background?: string;
  /** Corner whose pixel gives the background colour. Default: "top-left". */
  corner?: "top-left" | "top-right" | "bottom-left" | "bottom-right";
  /** Count single pixels and thin lines as content. Default: false. */
  lineArt?: boolean;
  /** Colour on which a transparent image is laid before its edges are compared. Default: colour and transparency are compared separately. */
  matte?: string;
  /** Trim as much on the left as on the right, which is the smaller part of both. Default: false. */
  equalHorizontal?: boolean;
  /** Trim as much at the top as at the bottom, which is the smaller part of both. Default: false. */
  equalVertical?: boolean;
  /** Background to keep around the content. Default: 0. */
  margin?: number;
}

/** Crop a region of the original, before any resize. */
export interface CropOptions {
  /** Left edge of the region. */
  left?: Length;
  /** Top edge of the region. */
  top?: Length;
  /** Width of the region. Default: up to the right edge of the image. */
  width?: Length;
  /** Height of the region. Default: up to the bottom edge of the image. */
  height?: Length;
  /** Ratio of width to height, such as 16:9; computes the side that is not given, or the largest region if neither is. */
  aspectRatio?: string;
  /** Ratio of width to height, such as 16:9; computes the side that is not given, or the largest region if neither is. */
  ratio?: string;
  /** Where the region is placed if left and top are not given; attention and entropy find the most interesting part. Default: "center". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Where the region is placed if left and top are not given; attention and entropy find the most interesting part. Default: "center". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Centre of the region, as fractions of the width and the height; replaces position. */
  focalPoint?: string;
  /** Where the region is placed in imgproxy's words, such as soea:10:20, and with its rounding; replaces position. */
  anchor?: string;
  /** Reduce a region that extends beyond the image to the part inside, instead of refusing it. Default: false. */
  clamp?: boolean;
  /** With clamp: leave the image as it is, instead of refusing it, if the region is outside. Default: false. */
  optional?: boolean;
}

/** Remove the background: it becomes transparent, or a colour or an image of your choice. */
export interface RemoveBackgroundOptions {
  /** Model that finds the subject. Default: u2net, or u2net-int8 where the processor multiplies bytes, which is 1.5 times as fast, unless the operator chooses. All others need weights that you install; those but u2netp run untested in rembg. bria-rmbg is for non-commercial use only. */
  model?: "u2net" | "u2net-int8" | "u2netp" | "u2net_human_seg" | "u2net_cloth_seg" | "u2net_custom" | "silueta" | "isnet-general-use" | "isnet-anime" | "dis_custom" | "ben_custom" | "sam" | "birefnet-general" | "birefnet-general-lite" | "birefnet-general-fp16" | "birefnet-portrait" | "birefnet-dis" | "birefnet-hrsod" | "birefnet-cod" | "birefnet-massive" | "bria-rmbg";
  /** Return the mask instead of the cut-out: white where the subject is, black elsewhere. Default: false. */
  maskOnly?: boolean;
  /** Return the mask instead of the cut-out: white where the subject is, black elsewhere. Default: false. */
  onlyMask?: boolean;
  /** What to show behind the subject: a colour, or the key of an image. A key contains a dot or a slash; the image is scaled and cropped to cover the result, and is the same for every frame. */
  background?: string;
  /** What to show behind the subject: a colour, or the key of an image. A key contains a dot or a slash; the image is scaled and cropped to cover the result, and is the same for every frame. */
  bgcolor?: string;
  /** Source that the background image is read from. Default: the first source. */
  backgroundBucket?: string;
  /** Remove the old background's colour from semi-transparent edges, which avoids halos around hair. Default: true. */
  decontaminate?: boolean;
  /** Smooth the mask and make its edges hard. Default: false. */
  postProcess?: boolean;
  /** Smooth the mask and make its edges hard. Default: false. */
  postProcessMask?: boolean;
  /** Refine the edges by alpha matting on at most 1 megapixel; takes several seconds. Default: false. */
  alphaMatting?: boolean;
  /** Pixels with a mask level above this certainly belong to the subject. Default: 240. */
  alphaMattingForegroundThreshold?: number;
  /** Pixels with a mask level below this certainly belong to the background. Default: 10. */
  alphaMattingBackgroundThreshold?: number;
  /** How much the certain areas are eroded before matting, on the image of at most 1 megapixel. Default: 10. */
  alphaMattingErodeSize?: number;
  /** Trim the transparent area around the subject. Default: false. */
  trim?: boolean;
}

/** Remove the background and finish the cut-out: place it, with shadow, outline and background. */
export interface CutoutOptions {
  /** place: as the other parameters say; product: a square of 1000 pixels unless width or height is given, white, with a margin of 8 % and a soft shadow unless they are given. Default: "place". */
  layout?: "place" | "product";
  /** Take the transparency of the image as it is, instead of removing the background. Default: false. */
  useAlpha?: boolean;
  /** Width of the canvas. */
  width?: number;
  /** Height of the canvas. */
  height?: number;
  /** Size of the subject, in percent of the largest that fits inside the margin. Default: 100, or the size that it has if nothing places it. */
  scale?: number;
  /** Where the subject is placed inside the margin. Default: center, or where it is. */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Space around the subject on the canvas. */
  margin?: Length;
  /** What to show behind the subject: a colour, or the key of an image, which is scaled and cropped to cover the canvas. Default: transparent. */
  background?: string;
  /** Source that the background image is read from. Default: the first source. */
  backgroundBucket?: string;
  /** Blur the background image by a Gaussian of this deviation, in pixels or in percent of the shorter side of the canvas. Without a background, it is the image itself without its subject. */
  backgroundBlur?: Length;
  /** none; soft: a blurred copy of the subject's shape behind it; contact: a dark line where the subject stands; cast: the shape lying on the ground, away from the light. */
  shadow?: "none" | "soft" | "contact" | "cast";
  /** Colour of the shadow. Default: "000000". */
  shadowColor?: string;
  /** Opacity of the shadow. */
  shadowOpacity?: number;
  /** Softness of the shadow's edge. */
  shadowBlur?: Length;
  /** Direction in which the shadow falls, clockwise: 0 to the right, 90 downwards, 330 to the right and back. */
  shadowAngle?: number;
  /** How far a soft shadow is moved, or how long a cast one is. */
  shadowDistance?: Length;
  /** Width of a line around the subject, such as a sticker's. */
  outline?: Length;
  /** Colour of the outline. Default: "ffffff". */
  outlineColor?: string;
}

/** Darken before the resize and brighten after it (gamma correction), which preserves fine bright detail. */
export interface GammaOptions {
  /** Exponent; 1 has no effect. Default: 2.2. */
  gamma?: number;
}

/** Resize to a width, a height or both; with only one of them the image keeps its aspect ratio. */
export interface ResizeOptions {
  /** Width to resize to; 0 or left out: computed from the height. */
  width?: number;
  /** Height to resize to; 0 or left out: computed from the width. */
  height?: number;
  /** How the image fits a given width and height. cover: fill this size and crop the rest; contain: fit inside and fill the rest with the background; fill: stretch; inside: at most this size; outside: at least this size. With rules=imgproxy also cover-ratio: cover, and an image that is too small is cropped to the aspect ratio; auto: cover if the image is portrait or landscape as the size is, else inside. Default: "cover". */
  fit?: "cover" | "contain" | "fill" | "inside" | "outside" | "cover-ratio" | "auto";
  /** Part that cover keeps, or place where contain puts the image. attention and entropy find the most interesting part for cover; with any other fit they mean center. Default: "center". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Part that cover keeps, or place where contain puts the image. attention and entropy find the most interesting part for cover; with any other fit they mean center. Default: "center". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Part that cover keeps, or place where contain puts the image. attention and entropy find the most interesting part for cover; with any other fit they mean center. Default: "center". */
  strategy?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Point that cover keeps, as fractions of the width and the height; replaces position. */
  focalPoint?: string;
  /** Distance of the focal point from the left edge; requires focalY. */
  focalX?: number;
  /** Distance of the focal point from the top edge; requires focalX. */
  focalY?: number;
  /** Colour that contain fills the rest with. Default: "000000". */
  background?: string;
  /** Interpolation kernel for reducing; enlarging uses the matching interpolator. Default: "lanczos3". */
  kernel?: "nearest" | "linear" | "cubic" | "mitchell" | "lanczos2" | "lanczos3" | "mks2013" | "mks2021";
  /** Device pixel ratio: multiplies width and height; from 1 to 5, with rules=imgproxy up to 100. Default: 1.0. */
  dpr?: number;
  /** Scale factor of width and height, or of the image's own size if neither is given. */
  ratio?: number;
  /** Ratio of width to height, such as 16:9; computes the side that is not given. */
  aspectRatio?: string;
  /** Side whose length is kept; replaces the parameter of that side. */
  keep?: "width" | "height";
  /** Swap width and height if the image has the other orientation (portrait or landscape). Default: false. */
  adaptive?: boolean;
  /** Align the edges of the image when enlarging, as Pillow does; otherwise it can shift by up to half a pixel. Default: false. */
  centred?: boolean;
  /** Do not enlarge the image. Default: false. */
  withoutEnlargement?: boolean;
  /** Do not reduce the image. Default: false. */
  withoutReduction?: boolean;
  /** Whose rules compute the size. imgproxy: an image that may not be enlarged limits dpr and keeps its aspect ratio; every fit crops to width and height; later steps that have a dpr use the one that was applied. Default: "sharp". */
  rules?: "sharp" | "imgproxy";
  /** Part that is kept, with offsets; replaces position. Needs rules=imgproxy. */
  anchor?: string;
  /** Width that the image has at least before it is cropped. Needs rules=imgproxy. */
  minWidth?: number;
  /** Height that the image has at least before it is cropped. Needs rules=imgproxy. */
  minHeight?: number;
  /** Factor of the width, after fitting. Needs rules=imgproxy. Default: 1.0. */
  zoomX?: number;
  /** Factor of the height, after fitting. Needs rules=imgproxy. Default: 1.0. */
  zoomY?: number;
  /** A later extend fills width and height, so a dpr below 1 reduces a small image too. Needs rules=imgproxy. Default: false. */
  extended?: boolean;
}

/** Rotate the image clockwise; the canvas grows to hold its corners. */
export interface RotateOptions {
  /** Angle, clockwise; multiples of 90° are exact. Default: 0.0. */
  angle?: number;
  /** Colour of the areas that the rotated image does not cover. Default: "000000". */
  background?: string;
}

/** Crop a region of the image, after any resize. */
export interface ExtractOptions {
  /** Left edge of the region. */
  left?: Length;
  /** Top edge of the region. */
  top?: Length;
  /** Width of the region. Default: up to the right edge of the image. */
  width?: Length;
  /** Height of the region. Default: up to the bottom edge of the image. */
  height?: Length;
  /** Ratio of width to height, such as 16:9; computes the side that is not given, or the largest region if neither is. */
  aspectRatio?: string;
  /** Ratio of width to height, such as 16:9; computes the side that is not given, or the largest region if neither is. */
  ratio?: string;
  /** Where the region is placed if left and top are not given; attention and entropy find the most interesting part. Default: "center". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Where the region is placed if left and top are not given; attention and entropy find the most interesting part. Default: "center". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | "attention" | "entropy" | (string & {});
  /** Centre of the region, as fractions of the width and the height; replaces position. */
  focalPoint?: string;
  /** Where the region is placed in imgproxy's words, such as soea:10:20, and with its rounding; replaces position. */
  anchor?: string;
  /** Reduce a region that extends beyond the image to the part inside, instead of refusing it. Default: false. */
  clamp?: boolean;
  /** With clamp: leave the image as it is, instead of refusing it, if the region is outside. Default: false. */
  optional?: boolean;
}

/** Place the image on a larger canvas: a colour, the image's average colour, or the image itself, blurred. */
export interface FillOptions {
  /** Content of the canvas. color: one colour; mean: the image's average colour; corner: the colour of its top left pixel; blur: the image, stretched and blurred. Default: "color". */
  mode?: "color" | "mean" | "corner" | "blur";
  /** Width of the canvas; 0, left out or less than the image's: the image's width. */
  width?: number;
  /** Height of the canvas; 0, left out or less than the image's: the image's height. */
  height?: number;
  /** Colour of the canvas with mode color. Default: "000000". */
  color?: string;
  /** Colour of the canvas with mode color. Default: "000000". */
  colour?: string;
  /** Colour of the canvas with mode color. Default: "000000". */
  background?: string;
  /** Where the image is placed on the canvas. Default: "center". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Where the image is placed on the canvas. Default: "center". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Swap width and height if the image has the other orientation (portrait or landscape). Default: false. */
  adaptive?: boolean;
  /** Where the image extends beyond the canvas: grow enlarges the canvas, cut cuts the image off; turned does as well, on a canvas for the image as it was before a rotation by a quarter. Default: "grow". */
  overflow?: "grow" | "cut" | "turned";
  /** Make no side of the canvas larger than that of the original. Default: false. */
  withinOriginal?: boolean;
  /** Show the canvas through transparent parts of the image, too. Default: false. */
  behind?: boolean;
}

/** Shear, scale and rotate the image by a matrix; the canvas grows to hold its corners. */
export interface AffineOptions {
  /** The numbers a, b, c, d; a d - b c must not be 0. */
  matrix: string | readonly number[];
  /** Colour of the areas that the transformed image does not cover. Default: "000000". */
  background?: string;
  /** Horizontal offset before the transformation. Default: 0.0. */
  idx?: number;
  /** Vertical offset before the transformation. Default: 0.0. */
  idy?: number;
  /** Horizontal offset after the transformation. Default: 0.0. */
  odx?: number;
  /** Vertical offset after the transformation. Default: 0.0. */
  ody?: number;
  /** Interpolation method. Default: "bicubic". */
  interpolator?: "nearest" | "bilinear" | "bicubic" | "lbb" | "nohalo" | "vsqbs";
}

/** Add a border around the image, or place it on a larger canvas. */
export interface ExtendOptions {
  /** Width of the border on each side that has no value of its own. Default: "0". */
  all?: Length;
  /** Width of the border at the top; percentages refer to the image's height. */
  top?: Length;
  /** Width of the border on the left; percentages refer to the image's width. */
  left?: Length;
  /** Width of the border at the bottom; percentages refer to the image's height. */
  bottom?: Length;
  /** Width of the border on the right; percentages refer to the image's width. */
  right?: Length;
  /** Colour of the border with mode background. Default: "000000". */
  background?: string;
  /** Width of a canvas that the image is placed on where it is larger than the image; replaces the borders. Default: 0.0. */
  width?: number;
  /** Height of such a canvas; 0 or left out: the image's height. Default: 0.0. */
  height?: number;
  /** Use width and height as an aspect ratio: the canvas is the smallest that holds the image. Default: false. */
  onlyRatio?: boolean;
  /** Where the image is placed on the canvas, with offsets. Default: "ce". */
  anchor?: string;
  /** Device pixel ratio: multiplies lengths in pixels. Behind a resize with rules=imgproxy the ratio that was applied counts. Default: 1.0. */
  dpr?: number;
  /** Content of the border. background: one colour; copy: the pixels at the edge; repeat: the image, tiled; mirror: the image, mirrored. Default: "background". */
  mode?: "background" | "copy" | "repeat" | "mirror";
  /** Content of the border. background: one colour; copy: the pixels at the edge; repeat: the image, tiled; mirror: the image, mirrored. Default: "background". */
  extendWith?: "background" | "copy" | "repeat" | "mirror";
}

/** Replace each pixel by the median of its neighbourhood, which removes specks and keeps edges. */
export interface MedianOptions {
  /** Side of the square neighbourhood; at most the image's shorter side. Default: 3. */
  size?: number;
}

/** Make each pixel white if its level is at least the threshold, otherwise black. */
export interface ThresholdOptions {
  /** Lowest level that becomes white, of 0 to 255; 0 has no effect. Default: 128. */
  threshold?: number;
  /** Compare the greyscale level; otherwise each channel is compared separately. Default: true. */
  grayscale?: boolean;
  /** Compare the greyscale level; otherwise each channel is compared separately. Default: true. */
  greyscale?: boolean;
}

/** Replace the image by coarse squares, each in its average colour. */
export interface PixelateOptions {
  /** Side of a square. Default: 10. */
  size?: number;
}

/** Blur the image. */
export interface BlurOptions {
  /** Standard deviation of the Gaussian. Default: a fast, mild blur of 3 x 3 pixels. */
  sigma?: number;
  /** Where the Gaussian is cut off, as a fraction of its peak; for a radius r that is exp(-(r + 0.5)² / (2 sigma²)). Default: 0.2. */
  minAmplitude?: number;
  /** Precision of the computation; integer is the fastest. Default: "integer". */
  precision?: "integer" | "float" | "approximate";
}

/** Convolve the image with a kernel: each pixel becomes a weighted sum of its neighbourhood. */
export interface ConvolveOptions {
  /** Weights of the kernel, row by row. */
  kernel: string | readonly number[];
  /** Columns of the kernel. Default: the number of weights divided by height, or that of a square. */
  width?: number;
  /** Rows of the kernel. Default: the number of weights divided by width, or that of a square. */
  height?: number;
  /** Divisor of the weighted sum. Default: the sum of the weights, at least 1. */
  scale?: number;
  /** Added to the quotient, in levels of 0 to 255. Default: 0.0. */
  offset?: number;
}

/** Recombine the channels by a matrix: each row computes one channel from red, green, blue (and alpha). */
export interface RecombOptions {
  /** 3 x 3 numbers, or 4 x 4 with alpha, row by row. */
  matrix: string | readonly number[];
}

/** Change brightness, saturation, hue and lightness, in the CIE LCh colour space. */
export interface ModulateOptions {
  /** Factor of the lightness; 1 has no effect. Default: 1.0. */
  brightness?: number;
  /** Factor of the chroma; 0: grey, 1 has no effect. Default: 1.0. */
  saturation?: number;
  /** Rotation of the hue; 180: complementary colours. Default: 0. */
  hue?: number;
  /** Added to the lightness, which is 0 for black and 100 for white. Default: 0.0. */
  lightness?: number;
}

/** Make colours more or less vivid; their perceived brightness is kept. */
export interface VividnessOptions {
  /** Factor of the distance from grey; 0: grey, 1 has no effect, 2: twice as vivid. */
  factor: number;
}

/** Sharpen the lightness of the image, with separate strengths for flat and jagged areas. */
export interface SharpenOptions {
  /** Standard deviation of the Gaussian mask, 1 + radius / 2. Default: a fast, mild sharpening. */
  sigma?: number;
  /** Strength of sharpening in flat areas. Default: 1.0. */
  m1?: number;
  /** Strength of sharpening in jagged areas. Default: 2.0. */
  m2?: number;
  /** Threshold between flat and jagged areas. Default: 2.0. */
  x1?: number;
  /** Maximum amount of brightening. Default: 10.0. */
  y2?: number;
  /** Maximum amount of darkening. Default: 20.0. */
  y3?: number;
}

/** Sharpen details of a chosen size by an à trous wavelet, as Thumbor's `sharpen` filter does. */
export interface WaveletSharpenOptions {
  /** Strength of the sharpening; below 0: softening. */
  amount: number;
  /** Size of the details: 0 is about 1 pixel, and each step of 1 doubles it. Default: 0.5. */
  radius?: number;
  /** Sharpen the luminance only; colours are kept. Default: true. */
  luminance?: boolean;
}

/** Add monochrome noise; the same seed always gives the same noise. */
export interface NoiseOptions {
  /** Strength of the noise, in levels of 0 to 255; its standard deviation is amount / √12. */
  amount: number;
  /** Seed of the random numbers. Default: 0. */
  seed?: number;
}

/** Adjust tones by curves: first each channel by its own, then all channels by a common one. */
export interface CurveOptions {
  /** Curve of all channels. Default: "0,0,255,255". */
  all?: string | readonly number[];
  /** Curve of the red channel. Default: "0,0,255,255". */
  red?: string | readonly number[];
  /** Curve of the green channel. Default: "0,0,255,255". */
  green?: string | readonly number[];
  /** Curve of the blue channel. Default: "0,0,255,255". */
  blue?: string | readonly number[];
}

/** Blend the image with a colour, by a percentage for each channel. */
export interface ColorizeOptions {
  /** Colour to blend with. */
  color?: string;
  /** Colour to blend with. */
  colour?: string;
  /** Share of the colour in the red channel. Default: 50.0. */
  red?: number;
  /** Share of the colour in the green channel. Default: 50.0. */
  green?: number;
  /** Share of the colour in the blue channel. Default: 50.0. */
  blue?: number;
}

/** Lay a gradient over the image, from transparent to a colour, for example under a title. */
export interface GradientOptions {
  /** Colour at the end of the gradient. Default: "000000". */
  color?: string;
  /** Colour at the end of the gradient. Default: "000000". */
  colour?: string;
  /** Colour at the beginning of the gradient. Default: transparent. */
  startColor?: string;
  /** Opacity of the colours. Default: 100.0. */
  opacity?: number;
  /** Direction in which the colour becomes stronger. Default: "down". */
  direction?: "down" | "up" | "right" | "left";
  /** Direction as in CSS, which replaces `direction`: 0 upwards, 90 to the right, 180 downwards. */
  angle?: number;
  /** Where the gradient begins, in percent of its length. Default: 0.0. */
  start?: number;
  /** Where the gradient reaches the full colour. Default: 100.0. */
  stop?: number;
}

/** Fill a rectangle, with round corners if desired, or an ellipse, for example as a panel behind a title. */
export interface ShapeOptions {
  /** What is drawn. Default: "rectangle". */
  kind?: "rectangle" | "ellipse";
  /** Colour of the fill. Default: "000000". */
  color?: string;
  /** Colour of the fill. Default: "000000". */
  colour?: string;
  /** Opacity of the whole shape. Default: 100.0. */
  opacity?: number;
  /** Width of the shape. Default: "100p". */
  width?: Length;
  /** Height of the shape. Default: "100p". */
  height?: Length;
  /** Radius of the corners of a rectangle. Default: "0". */
  radius?: Length;
  /** Colour of a line along the inside of the edge. */
  stroke?: string;
  /** Width of that line. Default: 2.0. */
  strokeWidth?: number;
  /** Angle, clockwise. Default: 0.0. */
  rotate?: number;
  /** Where the shape is placed. Default: "center". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Where the shape is placed. Default: "center". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Distance from that position, towards the right. Default: "0". */
  x?: Length;
  /** Distance from that position, downwards. Default: "0". */
  y?: Length;
}

/** Place another image over the image, on every frame. */
export interface WatermarkOptions {
  /** Key of the overlay, unless address is given. */
  key?: string;
  /** Address of this service to use as the overlay, with edits of its own, such as /logo.png?width=200&rotate=10: a path with parameters, in any URL language, without output options. */
  address?: string;
  /** Source that the overlay is read from. Default: the first source. */
  bucket?: string;
  /** Where the overlay is placed. Default: "center". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Where the overlay is placed. Default: "center". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Distance from the left edge or, if negative, from the right edge; replaces the horizontal position. */
  left?: Length;
  /** Distance from the top edge or, if negative, from the bottom edge; replaces the vertical position. */
  top?: Length;
  /** Width relative to the image's; its aspect ratio is kept. */
  width?: number;
  /** Height relative to the image's; its aspect ratio is kept. */
  height?: number;
  /** Width of the box that the overlay is resized to, in pixels or relative to the image's width; replaces width and height. */
  boxWidth?: Length;
  /** Height of that box, in pixels or relative to the image's height; left out: computed from the width. */
  boxHeight?: Length;
  /** How the overlay fits the box. inside: at most this size, and never enlarged; contain: as large as fits; cover: fill it and cut off the rest; fill: stretch. Default: "inside". */
  boxFit?: "inside" | "contain" | "cover" | "fill";
  /** Where the overlay is placed in imgproxy's words, such as soea:10:20, and by its rules: replaces position, left and top, keeps the size of a larger overlay and enlarges a smaller one to the width and height. */
  anchor?: string;
  /** Gap between tiles, horizontally. Default: 0.0. */
  gapX?: number;
  /** Gap between tiles, vertically. Default: 0.0. */
  gapY?: number;
  /** Device pixel ratio: multiplies gaps and the offsets of the anchor. Behind a resize with rules=imgproxy the ratio that was applied counts. Default: 1.0. */
  dpr?: number;
  /** Repeat the overlay over the whole image. Default: false. */
  tile?: boolean;
  /** With tile: leave out every other copy, like the fields of one colour of a chessboard. Default: false. */
  chessboard?: boolean;
  /** Angle of the overlay, clockwise. Default: 0.0. */
  rotate?: number;
  /** Colour of a shadow of the overlay. */
  shadow?: string;
  /** Blur of the shadow, as the sigma of a Gaussian. Default: 3.0. */
  shadowBlur?: number;
  /** Offset of the shadow to the right. Default: 2.0. */
  shadowX?: number;
  /** Offset of the shadow downwards. Default: 2.0. */
  shadowY?: number;
  /** Repeat the overlay from one edge to the other along one axis, in equal distances. */
  repeat?: "x" | "y";
  /** With repeat: leave no gap between the copies, and cut off the last one at the edge. Default: false. */
  dense?: boolean;
  /** Opacity of the overlay; 0: invisible, 100: unchanged. Default: 100.0. */
  opacity?: number;
  /** Blend mode of the overlay. Default: "over". */
  blend?: "over" | "multiply" | "screen" | "overlay" | "darken" | "lighten" | "colour-dodge" | "colour-burn" | "hard-light" | "soft-light" | "difference" | "exclusion" | "add" | "saturate" | "clear" | "source" | "in" | "out" | "atop" | "dest" | "dest-over" | "dest-in" | "dest-out" | "dest-atop" | "xor";
}

/** Write a text over the image, on every frame. */
export interface TextOptions {
  /** The text; line breaks are kept. */
  text: string;
  /** sans, serif or mono, or the name of a family in FONTS. Default: "sans". */
  font?: string;
  /** Height of the letters with their line, 4 to 2000 px. Default: "5p". */
  size?: Length;
  /** Weight of the font: 400 is regular, 700 is bold. Default: 400. */
  weight?: number;
  /** Use the italic font. Default: false. */
  italic?: boolean;
  /** Colour of the letters. Default: "ffffff". */
  color?: string;
  /** Colour of the letters. Default: "ffffff". */
  colour?: string;
  /** Opacity of the whole text. Default: 100.0. */
  opacity?: number;
  /** How lines are aligned with each other. Default: "left". */
  align?: "left" | "center" | "right" | "justify";
  /** Width at which lines break. Default: 90 % of the image's. */
  width?: Length;
  /** Maximum height of the text: its size is reduced until it fits. */
  height?: Length;
  /** Distance between lines, as a multiple of the font's own. Default: 1.0. */
  lineHeight?: number;
  /** Colour of a box behind the text. */
  background?: string;
  /** Distance of the box from the text. Default: "0". */
  padding?: Length;
  /** Radius of the corners of the box. Default: "0". */
  radius?: Length;
  /** Colour of the outline of the letters. */
  stroke?: string;
  /** Width of the outline. Default: 2.0. */
  strokeWidth?: number;
  /** Colour of a shadow of the text, or of its box. */
  shadow?: string;
  /** Blur of the shadow, as the sigma of a Gaussian. Default: 3.0. */
  shadowBlur?: number;
  /** Offset of the shadow to the right. Default: 2.0. */
  shadowX?: number;
  /** Offset of the shadow downwards. Default: 2.0. */
  shadowY?: number;
  /** Angle, clockwise. Default: 0.0. */
  rotate?: number;
  /** Where the text is placed. Default: "bottom". */
  position?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Where the text is placed. Default: "bottom". */
  gravity?: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right" | (string & {});
  /** Distance from that position, towards the right. Default: "0". */
  x?: Length;
  /** Distance from that position, downwards; percent of the height. Default: "0". */
  y?: Length;
  /** Repeat the text over the whole image. Default: false. */
  tile?: boolean;
  /** Distance between repetitions, in both directions. Default: "5p". */
  gap?: Length;
  /** Place the text by the edges of its letters, without the room of a line above and below. Default: false. */
  tight?: boolean;
  /** Read Pango markup, such as <b>bold</b> and <span foreground='red'>red</span>. Default: false. */
  markup?: boolean;
}

/** Put a frame around the image: a nine-patch, whose middle parts are stretched to the image's size. */
export interface FrameOptions {
  /** Key of the nine-patch. */
  key: string;
  /** Source that the nine-patch is read from. Default: the first source. */
  bucket?: string;
}

/** Brighten: each level, from 0 to 1, is raised to the power 1 / gamma. */
export interface GammaOutOptions {
  /** 1 has no effect. Default: 2.2. */
  gamma?: number;
}

/** Change the contrast: the distance of each level from 128 is multiplied by ((100 + amount) / 100)². */
export interface ContrastOptions {
  /** -100: uniform grey, 0 has no effect, 100: four times the contrast. */
  amount: number;
}

/** Multiply each level by a and add b (linear transformation). */
export interface LinearOptions {
  /** Factors. Default: "1". */
  a?: string | readonly number[];
  /** Summands, in levels of 0 to 255. Default: "0". */
  b?: string | readonly number[];
}

/** Stretch the lightness to the full range, from black to white. */
export interface NormaliseOptions {
  /** Percentile of the lightness that becomes black. Default: 1.0. */
  lower?: number;
  /** Percentile of the lightness that becomes white. Default: 99.0. */
  upper?: number;
}

/** Enhance local contrast in dark and bright areas (contrast limited adaptive histogram equalisation). */
export interface ClaheOptions {
  /** Width of the window; at most the image's. */
  width: number;
  /** Height of the window; at most the image's. */
  height: number;
  /** Limit of the contrast; 0: no limit. Default: 3. */
  maxSlope?: number;
}

/** Combine the bits of each pixel with those of another image, aligned at the top left. */
export interface BooleanOptions {
  /** Bitwise operator; eor: exclusive or. */
  operator: "and" | "or" | "eor";
  /** Key of the other image. */
  key: string;
  /** Source that the other image is read from. Default: the first source. */
  bucket?: string;
}

/** Combine the bits of all channels, alpha included, into one greyscale channel. */
export interface BandboolOptions {
  /** Bitwise operator; eor: exclusive or. */
  operator: "and" | "or" | "eor";
}

/** Give the image the hue of a colour; the lightness is kept, so black and white are, too. */
export interface TintOptions {
  /** Colour whose hue and saturation are used. */
  color?: string;
  /** Colour whose hue and saturation are used. */
  colour?: string;
}

/** Add an alpha channel if the image has none. */
export interface EnsureAlphaOptions {
  /** Opacity of the new channel; 0: transparent, 1: opaque. Default: 1.0. */
  alpha?: number;
}

/** Convert to colour or greyscale, with 8 or 16 bits per channel. */
export interface ToColourspaceOptions {
  /** srgb: colour, b-w: greyscale; rgb16 and grey16: the same with 16 bits per channel. */
  colourspace?: "srgb" | "b-w" | "rgb16" | "grey16";
  /** srgb: colour, b-w: greyscale; rgb16 and grey16: the same with 16 bits per channel. */
  colorspace?: "srgb" | "b-w" | "rgb16" | "grey16";
}

/** Extract one channel as a greyscale image. */
export interface ExtractChannelOptions {
  /** Channel to extract; red, green and blue of a greyscale image are equal. */
  channel: "red" | "green" | "blue" | "alpha";
}

/** Invert the levels of the image, which gives its negative. */
export interface NegateOptions {
  /** Invert the alpha channel, too. Default: true. */
  alpha?: boolean;
}

/** Crop to an ellipse; pixels outside it are transparent. */
export interface RoundCropOptions {
  /** Horizontal radius; percentages refer to the width. Default: half the shorter side. */
  rx?: Length;
  /** Vertical radius; percentages refer to the height. Default: half the shorter side. */
  ry?: Length;
  /** Distance of the centre from the left edge. Default: half the width. */
  left?: Length;
  /** Distance of the centre from the top edge. Default: half the height. */
  top?: Length;
}

/** Round the corners of the image; its size is kept. */
export interface RoundCornersOptions {
  /** Horizontal radius, at most half the width; percentages refer to the shorter side. Default: "20". */
  radius?: Length;
  /** Vertical radius, at most half the height; percentages refer to the shorter side. Default: the horizontal radius. */
  radiusY?: Length;
  /** Colour of the corners. Default: "00000000". */
  background?: string;
}

/** Merge the alpha channel with a background colour, so that nothing is transparent. */
export interface FlattenOptions {
  /** Background colour; its alpha is ignored. Default: "000000". */
  background?: string;
}

/** Reduce the image to a few colours, chosen by k-means, or report these colours as JSON. */
export interface QuantizeOptions {
  /** Maximum number of colours. Default: as many as the criterion finds. */
  colors?: number;
  /** How the number of colours is found. difference (default): the fewest whose mean difference from the image is small enough; silhouette: the number that separates the pixels best, which is nearly always the minimum. */
  criterion?: "difference" | "silhouette";
  /** Largest mean colour difference that is small enough, by CIEDE2000, where 1 is just visible. Default: 4. */
  difference?: number;
  /** Smallest number of colours that the criterion may find. Default: 8. */
  minColors?: number;
  /** Largest number of colours that the criterion may find. Default: 32. */
  maxColors?: number;
  /** Dither (Floyd-Steinberg): looks closer to the original, in a larger file. Default: false. */
  dither?: boolean;
  /** Return the colours and their shares as JSON instead of an image. Default: false. */
  palette?: boolean;
}

/** Return facts about the file (format, size, frames, …), its dominant colours and placeholders for it, as JSON. */
export interface InfoOptions {
  /** Add the SHA-256 of the file, a perceptual hash, and camera, dates, title, credit, licence and digital source type from its metadata. Needs a signature or the operator's token, unless PUBLIC_FEATURES lists `info`. Default: false. */
  details?: boolean;
  /** Add the EXIF tags of the image and of how it was taken, by name; never a position, a serial number or a comment. Restricted like `details`. Default: false. */
  exif?: boolean;
  /** Add width, height, frames and transparency of the edited image. Colours, hashes and the preview are always those of the edited image. Default: false. */
  result?: boolean;
  /** Return only these facts, separated by commas, under the names of imgproxy's info endpoint: size, format, mime_type, width, height, orientation, colorspace, bands, sample_format, pages_number, alpha, palette, average, blurhash, thumb_hash, perceptual_hash. */
  facts?: string;
  /** Add the boxes of detected faces, in pixels of the upright original. Restricted like `details`. Default: false. */
  faces?: boolean;
  /** Add the moderation labels, with their confidence in percent. Restricted like `details`. Default: false. */
  moderation?: boolean;
}

/** What a request may contain: features, and how the result is encoded. */
export interface ImageOptions {
  /** File format. Default: that of the original. auto: AVIF, WebP or that of the original, depending on what the browser accepts; best: the smallest of these at equal quality, for signed URLs like quality=auto. */
  format?: "auto" | "best" | "original" | "jpeg" | "png" | "webp" | "avif" | "gif" | "apng" | "tiff" | "bmp";
  /** Convert an opaque PNG to JPEG if no format is given. Default: false. */
  autoJpeg?: boolean;
  /** Quality of lossy formats. Default: 80, for AVIF 50; without it a TIFF is lossless. auto: the lowest that reaches qualityTarget; it takes many times as long and needs a signature, unless PUBLIC_FEATURES lists `autoQuality`. */
  quality?: "auto" | number;
  /** Similarity that quality=auto and format=best have to reach, as a score of SSIMULACRA 2: 50 is medium, 70 high, 90 looks the same; also by format. Default: AUTO_QUALITY_TARGET. */
  qualityTarget?: string;
  /** Lowest quality of quality=auto. Default: 20. */
  qualityMin?: number;
  /** Highest quality of quality=auto. Default: 95. */
  qualityMax?: number;
  /** Quality by format, where no quality is given. */
  formatQuality?: string;
  /** Formats to choose from if none is given: the original's if it is among them, else the first one that can hold the animation and the transparency. */
  preferred?: string | readonly string[];
  /** Formats of originals that are not edited, unless another format is requested; metadata is removed from them all the same. */
  unchanged?: string | readonly string[];
  /** Processor time to spend on a smaller file; 0: fastest, 10: smallest file; limited for large AVIF images and WebP images with transparency. */
  effort?: number;
  /** Colour behind transparent parts where the format has no transparency. Default: white. */
  matte?: string;
  /** Encode a progressive JPEG or an interlaced PNG. Default: false. */
  progressive?: boolean;
  /** Encode without loss: WebP, AVIF, PNG or TIFF; other formats are refused with 400. Default: false. */
  lossless?: boolean;
  /** Chroma subsampling. auto: for JPEG 4:2:0 for photographs and 4:4:4 for graphics and text, for AVIF 4:4:4. Default: "auto". */
  chromaSubsampling?: "auto" | "4:2:0" | "4:4:4";
  /** Encode a PNG with a palette of at most 256 colours. Default: false. */
  palette?: boolean;
  /** Number of colours of a PNG with a palette (2, 4, 16 or 256) or of a GIF (a power of two); other numbers are rounded down. */
  colors?: number;
  /** Target file size; the quality, or the colours where palette or colors is set, is reduced until it fits; if nothing does, the smallest file is the answer. */
  maxBytes?: number;
  /** Which EXIF, IPTC and XMP fields are kept. strip: none but IPTC's digital source type, which marks generated images; keep: those known to be harmless, a GPS position only with ALLOW_GPS, never previews; copyright: the credit. If moderation hides the image, only a short credit is kept. Default: "strip". */
  metadata?: "strip" | "keep" | "copyright";
  /** What becomes of the gain map of an HDR photograph (Ultra HDR). sdr: it is removed; keep: a JPEG of a JPEG keeps it, unless an edit changes colours or draws on the image. Default: "sdr". */
  hdr?: "sdr" | "keep";
  /** Keep all frames. Default: true if the format supports animations. */
  animated?: boolean;
  /** How many times an animation plays; 0: for ever. Default: as in the original. */
  loop?: number;
  /** Duration of each frame in milliseconds, from 0 to 65535; the last number holds for all further frames. Default: as in the original. */
  delay?: string | readonly number[];
  /** Return a single frame or page, counted from 0. */
  page?: number;
  /** Resolution in dots per inch at which a page of a PDF or an SVG is drawn, before any other edit; other originals have pixels of their own. Default: 96. */
  dpi?: number;
  /** File name; the browser saves the image under it instead of showing it. */
  download?: string;
  /** File name without its extension, for when a user saves the image that the browser shows. */
  filename?: string;
  /** Have the browser save the image under filename instead of showing it. Default: false. */
  attachment?: boolean;
  /** Blur, pixelate, refuse or report images in which Amazon Rekognition finds inappropriate content. */
  contentModeration?: boolean | "blur" | "pixelate" | "reject" | "report" | ContentModerationOptions;
  /** Hide regions of the image and detected faces, objects or text for good, before any other edit. */
  redact?: boolean | string | readonly string[] | RedactOptions;
  /** Remove the red that a flash causes in the eyes of all faces, before any other edit. */
  redEye?: boolean;
  /** Crop around the most important part, before any other edit: faces, objects or the salient region. */
  smartCropping?: boolean | "auto" | "faces" | "objects" | "salient" | SmartCroppingOptions;
  /** Crop around the most important part, before any other edit: faces, objects or the salient region. */
  smartCrop?: boolean | "auto" | "faces" | "objects" | "salient" | SmartCroppingOptions;
  /** Trim edges of one colour, and transparent edges; an image without any other content is not changed. */
  trim?: boolean | number | TrimOptions;
  /** Crop a region of the original, before any resize. */
  crop?: boolean | CropOptions;
  /** Remove the background: it becomes transparent, or a colour or an image of your choice. */
  removeBackground?: boolean | "u2net" | "u2net-int8" | "u2netp" | "u2net_human_seg" | "u2net_cloth_seg" | "u2net_custom" | "silueta" | "isnet-general-use" | "isnet-anime" | "dis_custom" | "ben_custom" | "sam" | "birefnet-general" | "birefnet-general-lite" | "birefnet-general-fp16" | "birefnet-portrait" | "birefnet-dis" | "birefnet-hrsod" | "birefnet-cod" | "birefnet-massive" | "bria-rmbg" | RemoveBackgroundOptions;
  /** Remove the background and finish the cut-out: place it, with shadow, outline and background. */
  cutout?: boolean | "place" | "product" | CutoutOptions;
  /** Double the width and height, and restore details that a resize cannot. */
  upscale?: boolean;
  /** Darken before the resize and brighten after it (gamma correction), which preserves fine bright detail. */
  gamma?: boolean | number | GammaOptions;
  /** Width to resize to; 0 or left out: computed from the height. */
  width?: number;
  /** Height to resize to; 0 or left out: computed from the width. */
  height?: number;
  /** How the image fits a given width and height. cover: fill this size and crop the rest; contain: fit inside and fill the rest with the background; fill: stretch; inside: at most this size; outside: at least this size. With rules=imgproxy also cover-ratio: cover, and an image that is too small is cropped to the aspect ratio; auto: cover if the image is portrait or landscape as the size is, else inside. Default: "cover". */
  fit?: "cover" | "contain" | "fill" | "inside" | "outside" | "cover-ratio" | "auto";
  /** Resize to a width, a height or both; with only one of them the image keeps its aspect ratio. */
  resize?: boolean | ResizeOptions;
  /** Mirror the image vertically: top and bottom change places. */
  flip?: boolean;
  /** Mirror the image horizontally: left and right change places. */
  flop?: boolean;
  /** Rotate the image clockwise; the canvas grows to hold its corners. */
  rotate?: boolean | number | RotateOptions;
  /** Crop a region of the image, after any resize. */
  extract?: boolean | ExtractOptions;
  /** Place the image on a larger canvas: a colour, the image's average colour, or the image itself, blurred. */
  fill?: boolean | "color" | "mean" | "corner" | "blur" | FillOptions;
  /** Convert the image to greyscale; transparency is kept. */
  grayscale?: boolean;
  /** Convert the image to greyscale; transparency is kept. */
  greyscale?: boolean;
  /** Shear, scale and rotate the image by a matrix; the canvas grows to hold its corners. */
  affine?: boolean | string | readonly number[] | AffineOptions;
  /** Add a border around the image, or place it on a larger canvas. */
  extend?: boolean | Length | ExtendOptions;
  /** Add a border around the image, or place it on a larger canvas. */
  padding?: boolean | Length | ExtendOptions;
  /** Replace each pixel by the median of its neighbourhood, which removes specks and keeps edges. */
  median?: boolean | number | MedianOptions;
  /** Make each pixel white if its level is at least the threshold, otherwise black. */
  threshold?: boolean | number | ThresholdOptions;
  /** Replace the image by coarse squares, each in its average colour. */
  pixelate?: boolean | number | PixelateOptions;
  /** Blur the image. */
  blur?: boolean | number | BlurOptions;
  /** Make pure white pixels transparent. */
  unflatten?: boolean;
  /** Convolve the image with a kernel: each pixel becomes a weighted sum of its neighbourhood. */
  convolve?: boolean | string | readonly number[] | ConvolveOptions;
  /** Recombine the channels by a matrix: each row computes one channel from red, green, blue (and alpha). */
  recomb?: boolean | string | readonly number[] | RecombOptions;
  /** Change brightness, saturation, hue and lightness, in the CIE LCh colour space. */
  modulate?: boolean | ModulateOptions;
  /** Make colours more or less vivid; their perceived brightness is kept. */
  vividness?: boolean | number | VividnessOptions;
  /** Sharpen the lightness of the image, with separate strengths for flat and jagged areas. */
  sharpen?: boolean | number | SharpenOptions;
  /** Sharpen details of a chosen size by an à trous wavelet, as Thumbor's `sharpen` filter does. */
  waveletSharpen?: boolean | number | WaveletSharpenOptions;
  /** Add monochrome noise; the same seed always gives the same noise. */
  noise?: boolean | number | NoiseOptions;
  /** Adjust tones by curves: first each channel by its own, then all channels by a common one. */
  curve?: boolean | string | readonly number[] | CurveOptions;
  /** Blend the image with a colour, by a percentage for each channel. */
  colorize?: boolean | string | ColorizeOptions;
  /** Blend the image with a colour, by a percentage for each channel. */
  colourise?: boolean | string | ColorizeOptions;
  /** Lay a gradient over the image, from transparent to a colour, for example under a title. */
  gradient?: boolean | string | GradientOptions | readonly GradientOptions[];
  /** Fill a rectangle, with round corners if desired, or an ellipse, for example as a panel behind a title. */
  shape?: boolean | "rectangle" | "ellipse" | ShapeOptions | readonly ShapeOptions[];
  /** Place another image over the image, on every frame. */
  watermark?: boolean | string | WatermarkOptions | readonly WatermarkOptions[];
  /** Write a text over the image, on every frame. */
  text?: boolean | string | TextOptions | readonly TextOptions[];
  /** Put a frame around the image: a nine-patch, whose middle parts are stretched to the image's size. */
  frame?: boolean | string | FrameOptions | readonly FrameOptions[];
  /** Brighten: each level, from 0 to 1, is raised to the power 1 / gamma. */
  gammaOut?: boolean | number | GammaOutOptions;
  /** Change the contrast: the distance of each level from 128 is multiplied by ((100 + amount) / 100)². */
  contrast?: boolean | number | ContrastOptions;
  /** Multiply each level by a and add b (linear transformation). */
  linear?: boolean | string | readonly number[] | LinearOptions;
  /** Stretch the lightness to the full range, from black to white. */
  normalise?: boolean | NormaliseOptions;
  /** Stretch the lightness to the full range, from black to white. */
  normalize?: boolean | NormaliseOptions;
  /** Distribute the levels of each channel evenly over the full range (histogram equalisation). */
  equalise?: boolean;
  /** Distribute the levels of each channel evenly over the full range (histogram equalisation). */
  equalize?: boolean;
  /** Enhance local contrast in dark and bright areas (contrast limited adaptive histogram equalisation). */
  clahe?: boolean | ClaheOptions;
  /** Combine the bits of each pixel with those of another image, aligned at the top left. */
  boolean?: boolean | string | BooleanOptions | readonly BooleanOptions[];
  /** Combine the bits of all channels, alpha included, into one greyscale channel. */
  bandbool?: boolean | "and" | "or" | "eor" | BandboolOptions;
  /** Give the image the hue of a colour; the lightness is kept, so black and white are, too. */
  tint?: boolean | string | TintOptions;
  /** Remove the alpha channel; transparent pixels show the colour that they have. */
  removeAlpha?: boolean;
  /** Add an alpha channel if the image has none. */
  ensureAlpha?: boolean | number | EnsureAlphaOptions;
  /** Convert to colour or greyscale, with 8 or 16 bits per channel. */
  toColourspace?: boolean | "srgb" | "b-w" | "rgb16" | "grey16" | ToColourspaceOptions;
  /** Convert to colour or greyscale, with 8 or 16 bits per channel. */
  toColorspace?: boolean | "srgb" | "b-w" | "rgb16" | "grey16" | ToColourspaceOptions;
  /** Extract one channel as a greyscale image. */
  extractChannel?: boolean | "red" | "green" | "blue" | "alpha" | ExtractChannelOptions;
  /** Invert the levels of the image, which gives its negative. */
  negate?: boolean | NegateOptions;
  /** Crop to an ellipse; pixels outside it are transparent. */
  roundCrop?: boolean | RoundCropOptions;
  /** Round the corners of the image; its size is kept. */
  roundCorners?: boolean | Length | RoundCornersOptions;
  /** Round the corners of the image; its size is kept. */
  roundCorner?: boolean | Length | RoundCornersOptions;
  /** Merge the alpha channel with a background colour, so that nothing is transparent. */
  flatten?: boolean | string | FlattenOptions;
  /** Reduce the image to a few colours, chosen by k-means, or report these colours as JSON. */
  quantize?: boolean | number | QuantizeOptions;
  /** Return facts about the file (format, size, frames, …), its dominant colours and placeholders for it, as JSON. */
  info?: boolean | InfoOptions;
  /** Edits that are applied in this order, behind all others. */
  steps?: readonly object[] | string;
  /** Features without parameters, by name. */
  feature?: string | readonly string[];
  /** Edits that the operator has stored under this name. */
  preset?: string;
  /** Changes nothing; makes a new URL for the caches. */
  v?: string | number;
  /** Another of the configured sources. */
  bucket?: string;
  /** Any parameter by its full name, such as `"watermark.key"`. */
  [parameter: `${string}.${string}`]: OptionValue | undefined;
}
