package state

import (
	"testing"

	"infisync/source"
)

// TestHasher holds the hashes: other programs compute them too.
func TestHasher(t *testing.T) {
	value := source.NewValue("value")
	keyed := NewHasher(source.NewValue("key"))
	for _, tt := range []struct {
		hasher       Hasher
		method, want string
	}{
		// printf NAME:value | sha256sum
		{Hasher{}, "", "7eb81eae499a96fc501c62c1315584b7e988dd4da363ea82b421ae5623aa7f24"},
		// printf NAME:value | openssl dgst -sha256 -hmac key
		{keyed, HMAC, "68dff13473f331f7377088b7981e9e92fbd58d46d54a34da68b4049b29330857"},
	} {
		if got := tt.hasher.Hash("NAME", value); got != tt.want || tt.hasher.Method() != tt.method {
			t.Errorf("method %q: Hash = %s, want %s", tt.hasher.Method(), got, tt.want)
		}
	}
	if one, other := keyed.Digest(set("A", "1")), NewHasher(source.NewValue("yek")).Digest(set("A", "1")); one == other || one == digestOf(set("A", "1")) {
		t.Errorf("the digest does not depend on the key: %s, %s", one, other)
	}
}

// TestHashMethod: a file says what its hashes were made with, and one that is
// written with another Hasher says that.
func TestHashMethod(t *testing.T) {
	var f, read File
	keyed := NewHasher(source.NewValue("key"))
	for _, hasher := range []Hasher{keyed, {}, keyed} {
		f.Record(scope, set("A", "1"), hasher, start)
		text, err := f.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := read.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		if read.HashMethod != hasher.Method() || read.Digest() != hasher.Digest(set("A", "1")) {
			t.Errorf("method %q read as %q: %s", hasher.Method(), read.HashMethod, text)
		}
	}
}
