/** The address of the request as code of frameworks and languages. */

export const FRAMEWORKS = [["react", "React"], ["next", "Next.js"], ["vue", "Vue"], ["svelte", "Svelte"], ["astro", "Astro"], ["css", "CSS"], ["markdown", "Markdown"], ["python", "Python"], ["php", "PHP"]];

/** `about` is {url, base, path, size: [width, height] or null, srcset: [[url, width]…], formats: [[url, format]…], sizes, name, isOrdered (whether there are steps)}. */
export const SNIPPETS = {
  react: ({ url, size, srcset, sizes }) => `export const Picture = () => (
  <img
    src=${JSON.stringify(url)}
    srcSet={[
${srcset.map(([each, width]) => `      ${JSON.stringify(`${each} ${width}w`)},`).join("\n")}
    ].join(", ")}
    sizes="${sizes}"${size ? `\n    width={${size[0]}} height={${size[1]}}` : ""}
    loading="lazy" alt=""
  />
);`,
  next: ({ base, path, size, isOrdered }) => `// image-loader.js, with images: { loader: "custom", loaderFile: "./image-loader.js" } in next.config.js
export default function loader({ src, width, quality }) {
  const url = new URL(src, "${base}");
${isOrdered ? `  const steps = JSON.parse(url.searchParams.get("steps"));
  url.searchParams.set("steps", JSON.stringify([...steps, { resize: { width } }]));` : `  url.searchParams.set("width", width);
  url.searchParams.delete("height");`}
  if (quality) url.searchParams.set("quality", quality);
  return url.href;
}

// In a page:
// <Image src="${path}" width={${size?.[0] ?? 640}} height={${size?.[1] ?? 480}} alt="" />`,
  vue: ({ url, size, srcset, sizes }) => `<template>
  <img :src="url" :srcset="srcset" sizes="${sizes}"${attributes(size)} loading="lazy" alt="">
</template>

<script setup>
const url = ${JSON.stringify(url)};
const srcset = ${JSON.stringify(srcset.map(([each, width]) => `${each} ${width}w`), null, 2)}.join(", ");
</script>`,
  svelte: ({ url, size, srcset, sizes }) => `<script>
  const url = ${JSON.stringify(url)};
  const srcset = ${JSON.stringify(srcset.map(([each, width]) => `${each} ${width}w`), null, 2)}.join(", ");
</script>

<img src={url} {srcset} sizes="${sizes}"${attributes(size)} loading="lazy" alt="">`,
  astro: ({ url, size, srcset, sizes }) => `---
const url = ${JSON.stringify(url)};
const srcset = ${JSON.stringify(srcset.map(([each, width]) => `${each} ${width}w`), null, 2)}.join(", ");
---
<img src={url} srcset={srcset} sizes="${sizes}"${attributes(size)} loading="lazy" alt="">`,
  css: ({ url, size, formats }) => `.picture {
  background-image: url("${url}");
  background-image: image-set(
${formats.map(([each, format]) => `    url("${each}") type("image/${format}")`).join(",\n")}
  );
  background-size: cover;${size ? `\n  aspect-ratio: ${size[0]} / ${size[1]};` : ""}
}`,
  markdown: ({ url, name }) => `![${name}](<${url}>)`,
  python: ({ url, name }) => `from urllib.request import urlretrieve

urlretrieve(${JSON.stringify(url)}, ${JSON.stringify(name)})`,
  php: ({ url, size, name }) => `<?php
$url = '${url.replaceAll("'", "\\'")}';
file_put_contents('${name.replaceAll("'", "\\'")}', file_get_contents($url));
?>
<img src="<?= htmlspecialchars($url) ?>"${attributes(size)} alt="">`,
};

const attributes = (size) => (size ? ` width="${size[0]}" height="${size[1]}"` : "");
