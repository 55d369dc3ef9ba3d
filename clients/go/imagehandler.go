// Package imagehandler builds and signs URLs of a serverless image handler. It needs the standard library alone.
//
//	images := imagehandler.Client{BaseURL: "https://images.example.com", Secret: "…"}
//	url, err := images.URL("photos/cat.jpg", imagehandler.Options{"width": 300, "watermark": imagehandler.Options{"key": "logo.png"}})
//
// Every client library writes the same URL for the same options, so that caches hold one copy of it.
package imagehandler

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Options maps names of features and parameters to text, numbers, bools, lists of these, or the Options of a feature.
type Options map[string]any

// Client writes URLs for one deployment, signed where it has a Secret, and valid for Life where that is not zero.
type Client struct {
	BaseURL string
	Secret  string
	Life    time.Duration
}

// ambiguous matches a key that may be read as a path of another URL language, unless it stands behind /_key/.
var ambiguous = regexp.MustCompile(`^(?:[_/]|(?:unsafe|insecure|meta|fit-in)/|[0-9]+x[0-9]+/|[A-Za-z0-9_=+-]{20,}/|e[wy][A-Za-z0-9+/=_-]*$|[^:]*:)`)

type pair struct{ name, value string }

// URL returns the URL of an image. The key is the name of the object, not encoded.
func (c Client) URL(key string, options Options) (string, error) {
	key = strings.TrimPrefix(key, "/")
	if key == "" {
		return "", errors.New("key must be the name of an object, got an empty text")
	}
	prefix := "/"
	if ambiguous.MatchString(key) {
		prefix = "/_key/"
	}
	pairs, err := flatten(options, "")
	if err != nil {
		return "", err
	}
	address := canonical(prefix+key, pairs)
	if c.Secret != "" {
		var expires time.Time
		if c.Life != 0 {
			expires = time.Now().Add(c.Life)
		}
		if address, err = Sign(address, c.Secret, expires); err != nil {
			return "", err
		}
	}
	return strings.TrimRight(c.BaseURL, "/") + address, nil
}

// Sign returns path and query, in canonical form, with a signature. The path is percent-encoded and may have a query.
// A zero time means that the URL does not expire.
func Sign(path, secret string, expires time.Time) (string, error) {
	if secret == "" || !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("a secret and a path that begins with a slash are needed, got %q", path)
	}
	path, _, _ = strings.Cut(path, "#")
	rawPath, query, _ := strings.Cut(path, "?")
	values := map[string]string{}
	for _, part := range strings.Split(query, "&") {
		if part == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return "", err
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return "", err
		}
		if _, repeated := values[name]; repeated {
			return "", fmt.Errorf("%s occurs twice in %s", name, path)
		}
		values[name] = value
	}
	delete(values, "signature")
	if !expires.IsZero() {
		values["expires"] = expires.UTC().Format("20060102T150405Z")
	}
	decoded, err := url.PathUnescape(rawPath)
	if err != nil {
		return "", err
	}
	pairs := make([]pair, 0, len(values))
	for name, value := range values {
		pairs = append(pairs, pair{name, value})
	}
	unsigned := canonical(decoded, pairs)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(unsigned))
	joint := "?"
	if len(pairs) > 0 {
		joint = "&"
	}
	return unsigned + joint + "signature=" + hex.EncodeToString(mac.Sum(nil)), nil
}

func canonical(path string, pairs []pair) string {
	encoded := make([]pair, 0, len(pairs))
	for _, each := range pairs {
		encoded = append(encoded, pair{escape(each.name, ""), escape(each.value, "")})
	}
	sort.Slice(encoded, func(i, j int) bool { return encoded[i].name < encoded[j].name })
	parts := make([]string, 0, len(encoded))
	for _, each := range encoded {
		parts = append(parts, each.name+"="+each.value)
	}
	if len(parts) == 0 {
		return escape(path, "/")
	}
	return escape(path, "/") + "?" + strings.Join(parts, "&")
}

// escape percent-encodes everything except letters, digits, -, ., _, ~ and what is kept.
func escape(text, kept string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		isPlain := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if isPlain || strings.IndexByte("-._~"+kept, b) >= 0 {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

func flatten(options Options, prefix string) ([]pair, error) {
	var pairs []pair
	for name, value := range options {
		if name == "steps" && prefix == "" {
			if _, isText := value.(string); !isText {
				text, err := inJSON(value)
				if err != nil {
					return nil, err
				}
				pairs = append(pairs, pair{name, text})
				continue
			}
		}
		if elements := listOfOptions(value); elements != nil && prefix == "" {
			for number, element := range elements {
				more, err := flatten(element, name+"."+strconv.Itoa(number)+".")
				if err != nil {
					return nil, err
				}
				pairs = append(pairs, more...)
			}
			continue
		}
		switch value := value.(type) {
		case nil:
		case Options, map[string]any:
			nested, isOptions := value.(Options)
			if !isOptions {
				nested = value.(map[string]any)
			}
			if prefix != "" {
				return nil, fmt.Errorf("%s%s must be text, a number, a bool or a list", prefix, name)
			}
			more, err := flatten(nested, name+".")
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, more...)
		default:
			text, err := write(prefix+name, value)
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, pair{prefix + name, text})
		}
	}
	return pairs, nil
}

// listOfOptions returns the elements of a list of objects, for a feature that is applied several times.
func listOfOptions(value any) []Options {
	switch list := value.(type) {
	case []Options:
		return list
	case []any:
		elements := make([]Options, 0, len(list))
		for _, item := range list {
			switch element := item.(type) {
			case Options:
				elements = append(elements, element)
			case map[string]any:
				elements = append(elements, element)
			default:
				return nil
			}
		}
		if len(elements) > 0 {
			return elements
		}
	}
	return nil
}

// inJSON returns JSON with its objects' names in alphabetical order, without escapes for HTML.
func inJSON(value any) (string, error) {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func write(name string, value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case bool:
		return strconv.FormatBool(value), nil
	case int:
		return strconv.Itoa(value), nil
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), nil
	case []any:
		parts := make([]string, 0, len(value))
		for _, item := range value {
			text, err := write(name, item)
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), nil
	}
	return "", fmt.Errorf("%s must be text, an int, a float64, a bool or a []any, got %T", name, value)
}
