// Gives each image one cache key at every edge location: sorts the query, removes ignored parameters, reduces Accept to
// one of three values, and wraps the path in base64, since an HTTP API would change it. docs/signing.md has the canonical
// form. Nothing but length is refused here: the Lambda function sees every parameter that is not ignored and validates it.
// With VERIFIES, a valid signature and its expiry leave the cache key. They travel in headers, and the function verifies
// them again. Any other request is passed on as it came, so the function alone refuses.
// template/embed.py puts this code into the template without comments and indentation.
// ${KeysImport}
var IGNORED = '${IgnoredParameters}'.split(',').filter(Boolean);
var KEEPS_SIGNED = '${Compatibility}' === 'lenient';
var VERIFIES = '${Verifies}' === 'Yes';
// The parameters of AWS's handler: `aws` in IGNORED ignores all others.
var AWS_NAMES = ['format', 'fit', 'width', 'height', 'rotate', 'flip', 'flop', 'grayscale', 'greyscale'];
// Fingerprints of the names that a single * in IGNORED does not ignore, four characters each: make reference.
// An unknown name with the fingerprint of a known one stays in the query, and the function ignores it.
var KNOWN_HEADS = 'Tb5eucDkpNgo7thKBqhtXaXqQWij1nCZxbC_ZUX8UEiapHhVbAVsSSLTOOCUt5gYuHgRbmxaen5BaU2XsY0Z3Axfq_dwxfVsqteeq5eYVgeSLKt4CBbbgiS3lE-maY80r5dLuluH4jZ8SqGDDdJDGy8roB6aoP6T3Dt3u7yoKEdE8ngF_VRliGZtlkQdjIWuolHt6oEbqYPFa6u4gNI-xx6Ar2427zQDMdEyhZQyka86PuXjBLKMyLUyS-uuxnVweiZkmbsHw5XjZ6SOnOdLACB1lzlFjYgjacqC';
var KNOWN_NAMES = 'ACBge5nVs8ZZXMJKaISq9yTFZuT33AnzFKXS-K8x557lLiOrFIWUbWQ4QMvKdAOj6NNhPRS9sJu1ACBhPEz9G4chT7H5eZnxNYhIY-U-pNgbTIFGXr5pkUyA2THeaLNmJseg1dNysRRC6sH8XkXwYWYQYL7n4wj5YR7jg5_Gap4IG1dUTtcQRmhwSChkVJ7q0vGKvr4Xj-83uHURMOEK9uTl9uTupJhF0zGTxpyyVsM_pfhVvIpotG1-DXfaNKo3DgrBNoooULVe9YURUTxGt3WOt3WPqrfEzzQmBcAo9EUisFbLsFbMDVDBTYiw9GUuROYV9oUQ9CVB9CVCS2469PDXtXaOuHtD88VbtZat2TZxAvObt3ZsU9orvskrwCJ9thbhx5K3Iu5KlQS3DV_RDV_SF_DzGHEd3s5NGPFCBNDm3ZViH_QPWWVSQj5JkGDIw7YApfCip90ul2iFtpa8IS4m6soAD2po8qWP8qWQILEAnDd0MYfZUPkr6UZmNes7jbd-pHOGtISfw8MkwBWUh6PSFfKaFfKbMnm1RucCDeSTwVglOsuD3f-O9Ic4L7f2MLfk26TxpsKfrVw_4vU18gWhocQopMR-9RNqCfH0DgATDgAU6T4b5VTAxHValcV93AMrq9vV0AUDvIpkMficGhMDGhME7zQrxhV6vgcpBfJXNkYQwfYfJLnWZG21pmbU08f66BUcxjVj8sW9eUIx7BVoxvNWPRTU1tdoPlTVXknyLEt3ACB3Dr_GACB4Dt_GDt_H0FTYyvmbyvmc';
var DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
// An HTTP API accepts 10,240 bytes of request line and headers; 2 kB are left for what CloudFront adds.
var LONGEST = 8192;
// More parameters than any image needs.
var MOST = 100;

async function handler(event) {
  var request = event.request;
  var query = request.rawQueryString() || '';
  // Both before any work, for which CloudFront allows about a millisecond.
  var raw = request.uri.length + 1 + query.length;
  if (raw > LONGEST) return tooLong(raw);
  var count = query.split('&').length;
  if (count > MOST) return refusal(400, 'Bad Request', 'TooManyParameters', 'the query must have at most ' + MOST + ' parameters, got ' + count);
  var api = apiPath(request.uri);
  // The gallery's API is neither cached nor signed: its query stays as the page sends it.
  if (api.indexOf('/_api/gallery/') === 0) {
    request.uri = api;
    return request;
  }
  var pairs = canonicalPairs(query, false);
  var prefix = '/_p/';
  delete request.headers['x-signature'];
  delete request.headers['x-expires'];
  var isSigned = valuesOf(pairs, 'signature').length > 0;
  var unsigned = null;
  if (VERIFIES && isSigned && !api) unsigned = await verified(request, pairs);
  if (unsigned) {
    pairs = unsigned;
    // Two prefixes, since the answer to a URL that expires must not be cached by browsers.
    prefix = request.headers['x-expires'] ? '/_x/' : '/_s/';
  } else if (KEEPS_SIGNED && isSigned) {
    // AWS's handler signs every parameter. The function has to see the ignored ones of a moved site to verify that.
    pairs = canonicalPairs(query, true);
  }
  request.querystring = joined(pairs);
  request.uri = api || prefix + Buffer.from(request.uri).toString('base64url');
  var length = request.uri.length + 1 + request.querystring.length;
  if (length > LONGEST) return tooLong(length);
  if (!api) negotiate(request.headers, pairs);
  return request;
}

// Returns the pairs without `signature` and `expires`, which become headers, if the signature covers path and pairs and is
// not expired; else null. Whatever fails here is left to the function.
async function verified(request, pairs) {
  var signature = valuesOf(pairs, 'signature');
  var expires = valuesOf(pairs, 'expires');
  var path = decoded(request.uri, false);
  if (signature.length !== 1 || expires.length > 1 || path === null) return null;
  var now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  if (expires.length && !(/^\d{8}T\d{6}Z$/.test(expires[0]) && expires[0] > now)) return null;
  var query = joined(pairs.filter(function (pair) { return pair[0] !== 'signature'; }));
  var keys = await signingKeys();
  if (!matches(encodedPath(path) + (query && '?' + query), signature[0], keys)) return null;
  request.headers['x-signature'] = { value: signature[0] };
  if (expires.length) request.headers['x-expires'] = { value: expires[0] };
  return pairs.filter(function (pair) { return pair[0] !== 'signature' && pair[0] !== 'expires'; });
}

// Returns the current and the previous key; none if the store has none that can be read.
async function signingKeys() {
  var stored = '[]';
  // Nothing but the call: the runtime accepts `await` in few places.
  try {
    stored = await cf.kvs().get('signing-keys');
  } catch (error) {
    return [];
  }
  return parsed(stored);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return [];
  }
}

// Whether this is the signature of the text by one of the keys. All of them are compared to the end, so that the time
// tells nothing.
function matches(text, signature, keys) {
  var found = false;
  keys.forEach(function (key) {
    if (!key) return;
    var expected = crypto.createHmac('sha256', key).update(text).digest('hex');
    var difference = expected.length ^ signature.length;
    for (var i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ signature.charCodeAt(i % (signature.length || 1));
    if (difference === 0) found = true;
  });
  return found;
}

function valuesOf(pairs, name) {
  return pairs.filter(function (pair) { return pair[0] === name; }).map(function (pair) { return pair[1]; });
}

function joined(pairs) {
  return pairs.map(function (pair) { return pair[0] + '=' + pair[1]; }).join('&');
}

function canonicalPairs(query, isWhole) {
  var pairs = [];
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
  // Most names and values have nothing to decode.
  if (!/[%+]/.test(raw)) return raw;
  try {
    return decodeURIComponent(plusIsSpace ? raw.split('+').join(' ') : raw);
  } catch (error) {
    return null;
  }
}

// Encodes as the canonical form does. What cannot be decoded stays as it is, and the Lambda function refuses it by name.
function recoded(raw) {
  if (/^[\w.~-]*$/.test(raw)) return raw;
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

// Whether one of the fingerprints is that of the name.
function lists(fingerprints, name) {
  var hash = 1;
  for (var i = 0; i < name.length; i++) hash = (hash * 8191 + name.charCodeAt(i)) % 16777213;
  var wanted = DIGITS[hash >> 18] + DIGITS[(hash >> 12) & 63] + DIGITS[(hash >> 6) & 63] + DIGITS[hash & 63];
  var at = fingerprints.indexOf(wanted);
  while (at >= 0 && at % 4) at = fingerprints.indexOf(wanted, at + 1);
  return at >= 0;
}

// Returns the path of the operator API in one spelling, so that the gateway recognises its route and throttles it, or ''
// for any other path.
function apiPath(uri) {
  var path = decoded(uri, false);
  return path !== null && path.indexOf('/_api/') === 0 ? encodedPath(path) : '';
}

function encodedPath(path) {
  return encoded(path).replace(/%2F/g, '/');
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

function tooLong(length) {
  return refusal(414, 'URI Too Long', 'UriTooLong', 'the URL must be at most ' + LONGEST + ' bytes long after encoding, got ' + length);
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
