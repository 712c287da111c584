package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"

	"infisync/source"
)

// Hash is the hex SHA-256 of "NAME:VALUE". It is not keyed: whoever reads it can
// try values of few possibilities.
func Hash(name string, value source.Value) string {
	sum := sha256.Sum256([]byte(name + ":" + value.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Digest is the hex SHA-256 of the names and hashes of set in the order of the
// names, each with its length before it, in eight bytes, big-endian. It is equal
// for sets of equal names and values, whatever their places and versions.
func Digest(set source.Set) string {
	digest := sha256.New()
	for secret := range set.All() {
		addToDigest(digest, secret.Name, Hash(secret.Name, secret.Value))
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// Digest is what the function Digest returns for the set that the file was
// written for.
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
