<?php

declare(strict_types=1);

/**
 * Builds and signs URLs of a serverless image handler. PHP 8.1 or later, no dependency.
 *
 *     $images = new ImageHandler('https://images.example.com', secret: '…');
 *     $images->url('photos/cat.jpg', ['width' => 300, 'format' => 'webp', 'watermark' => ['key' => 'logo.png']]);
 *     $images->srcset('photos/cat.jpg', [320, 640], ['format' => 'auto']);
 *
 * Every client library writes the same URL for the same options, so that caches hold one copy of it.
 */
final class ImageHandler
{
    /** A key of this form may be read as a path of another URL language, unless it stands behind `/_key/`. */
    private const AMBIGUOUS = '~^(?:[_/]|(?:unsafe|insecure|meta|fit-in)/|[0-9]+x[0-9]+/|[A-Za-z0-9_=+-]{20,}/'
        . '|e[wy][A-Za-z0-9+/=_-]*$|[^:]*:)~D';

    /** `$baseUrl` is the origin, such as `https://images.example.com`. With a secret every URL is signed. */
    public function __construct(private string $baseUrl = '', private ?string $secret = null)
    {
        $this->baseUrl = rtrim($baseUrl, '/');
    }

    /**
     * Return the URL of an image. `$key` is the name of the object, not encoded.
     *
     * @param array<string, mixed> $options names of features and parameters with their values
     * @throws InvalidArgumentException for an empty key, and for a value that a parameter cannot have
     */
    public function url(string $key, array $options = [], ?DateTimeInterface $expires = null): string
    {
        $key = str_starts_with($key, '/') ? substr($key, 1) : $key;
        if ($key === '') {
            throw new InvalidArgumentException('key must be the name of an object, got an empty text');
        }
        $path = (preg_match(self::AMBIGUOUS, $key) ? '/_key/' : '/') . $key;
        $address = self::canonical($path, self::flatten($options));
        return $this->baseUrl . ($this->secret === null ? $address : self::sign($address, $this->secret, $expires));
    }

    /**
     * Return the value of a `srcset` attribute: the image in each of the widths, in pixels.
     *
     * @param list<int> $widths
     * @param array<string, mixed> $options
     */
    public function srcset(string $key, array $widths, array $options = []): string
    {
        $widths = array_unique($widths);
        sort($widths);
        $sizes = array_map(fn (int $width) => $this->url($key, ['width' => $width] + $options) . " {$width}w", $widths);
        return implode(', ', $sizes);
    }

    /**
     * Return path and query, in canonical form, with a signature. `$path` is a path with its query, percent-encoded.
     *
     * @throws InvalidArgumentException for an empty secret, for what is no path, and for a name that occurs twice
     */
    public static function sign(string $path, string $secret, ?DateTimeInterface $expires = null): string
    {
        if ($secret === '' || !str_starts_with($path, '/')) {
            throw new InvalidArgumentException("a secret and a path that begins with a slash are needed, got $path");
        }
        [$rawPath, $query] = explode('?', explode('#', $path, 2)[0], 2) + [1 => ''];
        $pairs = [];
        foreach (array_filter(explode('&', $query), fn (string $part) => $part !== '') as $part) {
            [$name, $value] = array_map(self::decode(...), explode('=', str_replace('+', ' ', $part), 2) + [1 => '']);
            if (array_key_exists("=$name", $pairs)) {
                throw new InvalidArgumentException("$name occurs twice in $path");
            }
            // PHP would turn the key "1" into a number.
            $pairs["=$name"] = [$name, $value];
        }
        unset($pairs['=signature']);
        if ($expires !== null) {
            $stamp = (new DateTimeImmutable('@' . $expires->getTimestamp()))->format('Ymd\THis\Z');
            $pairs['=expires'] = ['expires', $stamp];
        }
        $unsigned = self::canonical(self::decode($rawPath), array_values($pairs));
        $joint = str_contains($unsigned, '?') ? '&' : '?';
        return $unsigned . $joint . 'signature=' . hash_hmac('sha256', $unsigned, $secret);
    }

    /** @param list<array{string, string}> $pairs */
    private static function canonical(string $path, array $pairs): string
    {
        $encoded = array_map(fn (array $pair) => array_map(rawurlencode(...), $pair), $pairs);
        usort($encoded, fn (array $a, array $b) => strcmp($a[0], $b[0]));
        $query = implode('&', array_map(fn (array $pair) => implode('=', $pair), $encoded));
        return str_replace('%2F', '/', rawurlencode($path)) . ($query === '' ? '' : "?$query");
    }

    private static function decode(string $text): string
    {
        if (preg_match('/%(?![0-9A-Fa-f]{2})/', $text)) {
            throw new InvalidArgumentException("every % must begin an escape of two hex digits, got $text");
        }
        return rawurldecode($text);
    }

    /**
     * @param array<string, mixed> $options
     * @return list<array{string, string}>
     */
    private static function flatten(array $options, string $prefix = ''): array
    {
        $pairs = [];
        foreach ($options as $name => $value) {
            if ($name === 'steps' && $prefix === '' && is_array($value)) {
                $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;
                $pairs[] = [$name, json_encode($value, $flags)];
            } elseif ($prefix === '' && is_array($value) && is_array($value[0] ?? null)) {
                foreach ($value as $number => $element) {
                    array_push($pairs, ...self::flatten($element, "$name.$number."));
                }
            } elseif (is_array($value) && !array_is_list($value)) {
                if ($prefix !== '') {
                    throw new InvalidArgumentException("$prefix$name must be text, a number, a bool or a list");
                }
                array_push($pairs, ...self::flatten($value, "$name."));
            } elseif ($value !== null) {
                $pairs[] = ["$prefix$name", self::write("$prefix$name", $value)];
            }
        }
        return $pairs;
    }

    private static function write(string $name, mixed $value): string
    {
        return match (true) {
            is_bool($value) => $value ? 'true' : 'false',
            is_array($value) => implode(',', array_map(fn (mixed $item) => self::write($name, $item), $value)),
            is_string($value), is_int($value), is_float($value) && is_finite($value) => (string) $value,
            default => throw new InvalidArgumentException("$name must be text, a number, a bool or a list"),
        };
    }
}
