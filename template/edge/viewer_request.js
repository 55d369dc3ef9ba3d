// Gives each image one cache key at every edge location: sorts the query, removes ignored parameters, reduces Accept to
// one of three values, and wraps the path in base64, since an HTTP API would change it. docs/signing.md has the canonical
// form. Nothing is refused here: the Lambda function sees every parameter that is not ignored and validates it.
var IGNORED = '${IgnoredParameters}'.split(',').filter(Boolean);
var KEEPS_SIGNED = '${Compatibility}' === 'lenient';
// The parameters of AWS's handler: `aws` in IGNORED ignores all others.
var AWS_NAMES = ['format', 'fit', 'width', 'height', 'rotate', 'flip', 'flop', 'grayscale', 'greyscale'];
// Names that a single * in IGNORED does not ignore. Generated from the features: make reference
var KNOWN_HEADS = 'affine bandbool blur boolean bucket clahe colorize colourise contentModeration contrast convolve crop curve ensureAlpha equalise equalize expires extend extract extractChannel feature fill flatten flip flop frame gamma gammaOut gradient grayscale greyscale info linear median modulate negate noise normalise normalize output padding pixelate preset quantize recomb redEye removeAlpha removeBackground resize rotate roundCorner roundCorners roundCrop sharpen signature smartCrop smartCropping text threshold tint toColorspace toColourspace trim unflatten v vividness watermark waveletSharpen';
var KNOWN_NAMES = 'a action adaptive align all alpha alphaMatting alphaMattingBackgroundThreshold alphaMattingErodeSize alphaMattingForegroundThreshold amount anchor angle animated aspectRatio attachment autoJpeg b background backgroundBucket behind bgcolor blend blue bottom brightness centred channel chromaSubsampling clamp color colors colorspace colour colourspace corner criterion decontaminate delay details difference direction dither download dpr effort equalHorizontal equalVertical extendWith extended faceIndex faces factor facts filename fit focalPoint focalX focalY font format formatQuality gap gapX gapY gravity green height hue idx idy interpolator italic keep kernel key labels left lightness lineArt lineHeight loop lossless lower luminance m1 m2 margin markup maskOnly matrix matte maxBytes maxColors maxSlope metadata minAmplitude minColors minConfidence minHeight minWidth mode model moderation moderationLabels odx ody offset onlyMask onlyRatio opacity operator optional overflow page palette position postProcess postProcessMask precision preferred progressive quality radius radiusY ratio red repeat right rules rx ry saturation scale seed shadow shadowBlur shadowX shadowY sigma size start stop strategy stroke strokeWidth subject tile top unchanged upper weight width withinOriginal withoutEnlargement withoutReduction x x1 y y2 y3 zoomX zoomY';
// An HTTP API accepts 10,240 bytes of request line and headers; 2 kB are left for what CloudFront adds.
var LONGEST = 8192;
// More parameters than any image needs.
var MOST = 100;

function handler(event) {
  var request = event.request;
  var query = request.rawQueryString() || '';
  var count = query.split('&').length;
  // Before any work on them, for which CloudFront allows about a millisecond.
  if (count > MOST) return refusal(400, 'Bad Request', 'TooManyParameters', 'the query must have at most ' + MOST + ' parameters, got ' + count);
  var pairs = canonicalPairs(query);
  var api = apiPath(request.uri);
  request.querystring = pairs.map(function (pair) { return pair[0] + '=' + pair[1]; }).join('&');
  request.uri = api || '/_p/' + Buffer.from(request.uri).toString('base64url');
  var length = request.uri.length + 1 + request.querystring.length;
  if (length > LONGEST) {
    return refusal(414, 'URI Too Long', 'UriTooLong', 'the URL must be at most ' + LONGEST + ' bytes long after encoding, got ' + length);
  }
  if (!api) negotiate(request.headers, pairs);
  return request;
}

function canonicalPairs(query) {
  var pairs = [];
  // AWS's handler signs every parameter. The function has to see the ignored ones of a moved site to verify that.
  var isWhole = KEEPS_SIGNED && /(^|&)signature=/.test(query);
  query.split('&').forEach(function (part) {
    var at = part.indexOf('=');
    var name = at < 0 ? part : part.slice(0, at);
    if (part && (isWhole || !isIgnored(decoded(name, true)))) pairs.push([recoded(name), at < 0 ? '' : recoded(part.slice(at + 1))]);
  });
  return pairs.sort(function (a, b) { return compare(a[0], b[0]) || compare(a[1], b[1]); });
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Percent-decodes once; returns null if the text is not UTF-8.
function decoded(raw, plusIsSpace) {
  try {
    return decodeURIComponent(plusIsSpace ? raw.split('+').join(' ') : raw);
  } catch (error) {
    return null;
  }
}

// Encodes as the canonical form does. What cannot be decoded stays as it is, and the Lambda function refuses it by name.
function recoded(raw) {
  var text = decoded(raw, true);
  return text === null ? raw : encoded(text);
}

function encoded(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, function (char) {
    return '%' + char.charCodeAt(0).toString(16).toUpperCase();
  });
}

function isIgnored(name) {
  if (name === null || name === 'signature' || name === 'expires') return false;
  return IGNORED.some(function (pattern) {
    if (pattern === 'aws') return AWS_NAMES.indexOf(name) < 0;
    return pattern === '*' ? !isKnown(name) : globs(pattern, name);
  });
}

// `*` matches any text and occurs only at the end of a pattern.
function globs(pattern, name) {
  return pattern.slice(-1) === '*' ? name.indexOf(pattern.slice(0, -1)) === 0 : name === pattern;
}

function isKnown(name) {
  return name.indexOf(' ') < 0 && (lists(KNOWN_HEADS, name.split('.')[0]) || lists(KNOWN_NAMES, name));
}

function lists(names, name) {
  return (' ' + names + ' ').indexOf(' ' + name + ' ') >= 0;
}

// Returns the path of the operator API in one spelling, so that the gateway recognises its route and throttles it, or ''
// for any other path.
function apiPath(uri) {
  var path = decoded(uri, false);
  return path !== null && path.indexOf('/_api/') === 0 ? encoded(path).replace(/%2F/g, '/') : '';
}

function negotiate(headers, pairs) {
  var isFixed = pairs.some(function (pair) {
    return (pair[0] === 'format' || pair[0] === 'output.format') && pair[1].toLowerCase() !== 'auto';
  });
  var values = headers.accept ? (headers.accept.multiValue || [headers.accept]) : [];
  var kinds = values.map(function (header) { return header.value; }).join(',').toLowerCase().split(',');
  delete headers.accept;
  // Three values at most: every browser that accepts AVIF accepts WebP.
  if (isFixed || !takes(kinds, 'image/webp')) return;
  headers.accept = { value: takes(kinds, 'image/avif') ? 'image/avif,image/webp' : 'image/webp' };
}

function takes(kinds, type) {
  return kinds.some(function (kind) {
    var options = kind.split(';').map(function (option) { return option.trim(); });
    return options[0] === type && !options.slice(1).some(function (option) { return /^q=0(\.0{1,3})?$/.test(option); });
  });
}

function refusal(status, description, code, message) {
  return {
    statusCode: status,
    statusDescription: description,
    headers: {
      'content-type': { value: 'application/json' },
      'cache-control': { value: 'no-store' },
      'x-content-type-options': { value: 'nosniff' }
    },
    body: { encoding: 'text', data: JSON.stringify({ status: status, code: code, message: message }) }
  };
}
