package vault

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"filippo.io/age"

	"infisync/source"
)

const (
	// minSecretLength is in characters. Infisical's client secrets have 64 hex
	// digits; what a person thinks up is shorter, and could be guessed by
	// trying, since the derivation is fast.
	minSecretLength = 32

	// The salt and info of the derivation. Another value gives other keys: both
	// are as fixed as the file format.
	deriveSalt = "infisync vault"
	deriveInfo = "age X25519 identity, version 1"

	stateSalt = "infisync state"
	stateInfo = "HMAC-SHA256, version 1"

	identityPrefix = "age-secret-key-"
)

// A Key opens and seals a vault: an age X25519 identity, its recipient and those
// of further readers. Printing shows recipients only. A Key is immutable and
// safe for concurrent use; the zero Key opens nothing and seals nothing.
type Key struct {
	identity *age.X25519Identity
	readers  []*age.X25519Recipient
}

// DeriveKey makes a Key from a client secret:
// HKDF-SHA256(secret, salt "infisync vault", info "age X25519 identity, version 1")
// gives the 32 bytes of the identity. White space around the secret does not
// count, as it does not for the server. A secret of fewer than 32 characters is
// an error with source.CodeVaultNoKey.
func DeriveKey(secret source.Value) (Key, error) {
	trimmed := strings.TrimSpace(secret.Reveal())
	if n := utf8.RuneCountInString(trimmed); n < minSecretLength {
		return Key{}, source.Errorf(source.CodeVaultNoKey,
			"deriving the vault's key: the client secret has %d characters, fewer than %d", n, minSecretLength)
	}
	scalar, err := hkdf.Key(sha256.New, []byte(trimmed), []byte(deriveSalt), deriveInfo, 32)
	if err != nil {
		return Key{}, source.Errorf(source.CodeVaultNoKey, "deriving the vault's key: %w", err)
	}
	identity, err := age.ParseX25519Identity(strings.ToUpper(bech32Encode(identityPrefix, scalar)))
	if err != nil {
		panic("vault: 32 bytes are always an identity")
	}
	return Key{identity: identity}, nil
}

// ParseKey reads what age-keygen writes: one AGE-SECRET-KEY-1… line; blank lines
// and lines that begin with "#" are ignored. Anything else, also a second
// identity, is an error with source.CodeVaultNoKey.
func ParseKey(text source.Value) (Key, error) {
	var found []string
	for line := range strings.Lines(text.Reveal()) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		return Key{}, source.Errorf(source.CodeVaultNoKey,
			"reading the vault's key: found %d lines that could be an AGE-SECRET-KEY-1, want 1", len(found))
	}
	identity, err := age.ParseX25519Identity(found[0])
	if err != nil {
		// age's own error may quote what it could not read.
		return Key{}, source.Errorf(source.CodeVaultNoKey, "reading the vault's key: not an AGE-SECRET-KEY-1")
	}
	return Key{identity: identity}, nil
}

// WithRecipients returns the Key with further readers, each given as age1…: the
// vaults it seals open with their identities too. A text that is no X25519
// recipient is an error with source.CodeVaultNoKey.
func (k Key) WithRecipients(texts ...string) (Key, error) {
	k.readers = slices.Clone(k.readers)
	for i, text := range texts {
		reader, err := age.ParseX25519Recipient(strings.TrimSpace(text))
		if err != nil {
			// Not quoted: people paste the identity here by mistake.
			return Key{}, source.Errorf(source.CodeVaultNoKey, "vault recipient %d is not an age1… X25519 recipient", i+1)
		}
		k.readers = append(k.readers, reader)
	}
	return k, nil
}

// IsZero tells whether the Key is the zero Key.
func (k Key) IsZero() bool { return k.identity == nil }

// ID is 8 hex digits of the SHA-256 of the Key's own recipient. It does not
// depend on further readers, and is empty for the zero Key.
func (k Key) ID() string {
	if k.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(k.identity.Recipient().String()))
	return hex.EncodeToString(sum[:4])
}

// Identity returns the AGE-SECRET-KEY-1… text with which the stock age command
// opens the vault; empty for the zero Key.
func (k Key) Identity() source.Value {
	if k.IsZero() {
		return source.Value{}
	}
	return source.NewValue(k.identity.String())
}

// StateKey returns the key of the hashes in a state file, 32 bytes:
// HKDF-SHA256(Identity, salt "infisync state", info "HMAC-SHA256, version 1").
// Whoever has it cannot open the vault. It is empty for the zero Key.
func (k Key) StateKey() source.Value {
	if k.IsZero() {
		return source.Value{}
	}
	key, err := hkdf.Key(sha256.New, []byte(k.identity.String()), []byte(stateSalt), stateInfo, 32)
	if err != nil {
		panic("vault: 32 bytes can always be derived")
	}
	return source.NewValue(string(key))
}

// Recipients returns the age1… texts of those who can open what the Key seals,
// its own first; nil for the zero Key.
func (k Key) Recipients() []string {
	var texts []string
	for _, recipient := range k.recipients() {
		texts = append(texts, recipient.String())
	}
	return texts
}

func (k Key) recipients() []*age.X25519Recipient {
	if k.IsZero() {
		return nil
	}
	return append([]*age.X25519Recipient{k.identity.Recipient()}, k.readers...)
}

// String returns the recipients, separated by blanks.
func (k Key) String() string { return strings.Join(k.Recipients(), " ") }

// Format writes what String returns, for every verb.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) }
