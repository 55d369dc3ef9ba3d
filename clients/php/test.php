<?php

declare(strict_types=1);

// Checks ImageHandler.php against the shared vectors: php clients/php/test.php
require __DIR__ . '/ImageHandler.php';

$vectors = json_decode(file_get_contents(__DIR__ . '/../vectors.json'), true, 512, JSON_THROW_ON_ERROR);
$checks = 0;
$check = function (mixed $expected, mixed $got) use (&$checks): void {
    $checks++;
    if ($expected !== $got) {
        fwrite(STDERR, 'expected ' . json_encode($expected) . ', got ' . json_encode($got) . "\n");
        exit(1);
    }
};
$images = new ImageHandler();
foreach ($vectors['urls'] as ['key' => $key, 'options' => $options, 'url' => $url]) {
    $check($url, $images->url($key, $options));
}
foreach ($vectors['signatures'] as ['path' => $path, 'url' => $url]) {
    $check($url, ImageHandler::sign($path, $vectors['secret'][0]));
}
$signed = new ImageHandler('https://images.example.com/', $vectors['secret'][0]);
$until = new DateTimeImmutable('2030-12-31T23:59:59Z');
[$same] = array_values(array_filter($vectors['signatures'], fn (array $each) => str_contains($each['path'], 'expires=')));
$check('https://images.example.com' . $same['url'], $signed->url('photos/cat.jpg', ['width' => 300], $until));
$check('/a.jpg?format=auto&width=1 1w, /a.jpg?format=auto&width=2 2w', $images->srcset('a.jpg', [2, 1, 2], ['format' => 'auto']));
foreach ([fn () => $images->url(''), fn () => ImageHandler::sign('/a?b=1&b=2', 'x'), fn () => ImageHandler::sign('/a%zz', 'x')] as $wrong) {
    try {
        $wrong();
        $check('an exception', 'none');
    } catch (InvalidArgumentException) {
        $checks++;
    }
}
echo "$checks checks passed\n";
