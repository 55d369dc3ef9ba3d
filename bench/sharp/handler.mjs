// The peer's handler: S3 GET, resize, encode, base64, as an image handler on sharp and the AWS SDK does it.
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import sharp from "sharp";

const s3 = new S3Client({ forcePathStyle: true });

export async function answer({ bucket, key, width, format, options }) {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const original = await object.Body.transformToByteArray();
  const picture = await sharp(original).rotate().resize({ width }).toFormat(format, options).toBuffer();
  return {
    statusCode: 200,
    headers: { "Content-Type": `image/${format}`, ETag: object.ETag, "Cache-Control": "max-age=31536000,public" },
    body: picture.toString("base64"),
    isBase64Encoded: true,
  };
}
