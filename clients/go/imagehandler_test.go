package imagehandler

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

type vectors struct {
	Secret []string
	URLs   []struct {
		Key, URL string
		Options  Options
	}
	Signatures []struct{ Path, URL string }
}

func read(t *testing.T) vectors {
	t.Helper()
	content, err := os.ReadFile("../vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var found vectors
	if err := json.Unmarshal(content, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestURLsAreThoseOfTheVectors(t *testing.T) {
	for _, vector := range read(t).URLs {
		if got, err := (Client{}).URL(vector.Key, vector.Options); err != nil || got != vector.URL {
			t.Errorf("expected %s, got %s (%v)", vector.URL, got, err)
		}
	}
}

func TestSignaturesAreThoseOfTheVectors(t *testing.T) {
	found := read(t)
	for _, vector := range found.Signatures {
		if got, err := Sign(vector.Path, found.Secret[0], time.Time{}); err != nil || got != vector.URL {
			t.Errorf("expected %s, got %s (%v)", vector.URL, got, err)
		}
		if strings.Contains(vector.Path, "expires=") {
			got, err := Sign("/photos/cat.jpg?width=300", found.Secret[0], time.Date(2030, 12, 31, 23, 59, 59, 0, time.UTC))
			if err != nil || got != vector.URL {
				t.Errorf("expected %s, got %s (%v)", vector.URL, got, err)
			}
		}
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for _, path := range []string{"a.jpg", "/a?b=1&b=2", "/a%zz"} {
		if got, err := Sign(path, "x", time.Time{}); err == nil {
			t.Errorf("%s was signed as %s", path, got)
		}
	}
	if got, err := (Client{}).URL("", nil); err == nil {
		t.Errorf("an empty key gave %s", got)
	}
	if got, err := (Client{}).URL("a.jpg", Options{"width": struct{}{}}); err == nil {
		t.Errorf("a struct gave %s", got)
	}
}
