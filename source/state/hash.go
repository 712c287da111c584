package state

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"

	"infisync/source"
)

// HMAC is the File.HashMethod of a Hasher that has a key.
const HMAC = "hmac-sha256"

// A Hasher makes the hashes of a state file. The zero Hasher is [Hash], as every
// reader of such files expects it; one with a key makes hashes from which nobody
// without the key can guess a value. It is immutable, comparable and safe for
// concurrent use.
type Hasher struct {
	key   source.Value
	keyed bool
}

// NewHasher returns the Hasher of that key.
func NewHasher(key source.Value) Hasher { return Hasher{key: key, keyed: true} }

// Method is the File.HashMethod of the files that the Hasher makes.
func (h Hasher) Method() string {
	if h.keyed {
		return HMAC
	}
	return ""
}

// Hash is the hex SHA-256 of "NAME:VALUE", or, with a key, its HMAC-SHA256.
func (h Hasher) Hash(name string, value source.Value) string {
	if !h.keyed {
		return Hash(name, value)
	}
	mac := hmac.New(sha256.New, []byte(h.key.Reveal()))
	mac.Write([]byte(name + ":" + value.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}

// Hash is the hex SHA-256 of "NAME:VALUE". It is not keyed: whoever reads it can
// try values of few possibilities.
func Hash(name string, value source.Value) string {
	sum := sha256.Sum256([]byte(name + ":" + value.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Digest is the hex SHA-256 of the names and hashes of set in the order of the
// names, each with its length before it, in eight bytes, big-endian. It is equal
// for sets of equal names and values, whatever their places and versions.
func (h Hasher) Digest(set source.Set) string {
	digest := sha256.New()
	for secret := range set.All() {
		addToDigest(digest, secret.Name, h.Hash(secret.Name, secret.Value))
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// Digest is what Hasher.Digest returns for the set that the file was written for,
// of the Hasher that it was written with.
func (f *File) Digest() string {
	digest := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(f.Secrets)) {
		addToDigest(digest, name, f.Secrets[name].Hash)
	}
	return hex.EncodeToString(digest.Sum(nil))
}

func addToDigest(digest hash.Hash, name, hash string) {
	for _, part := range []string{name, hash} {
		digest.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		digest.Write([]byte(part))
	}
}
