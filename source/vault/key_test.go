package vault

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"filippo.io/age"

	"infisync/source"
)

func TestBech32(t *testing.T) {
	data, err := hex.DecodeString("00443214c74254b635cf84653a56d7c675be77df")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		prefix string
		data   []byte
		want   string
	}{ // the valid ones of BIP 173 that whole bytes can give
		{"a", nil, "a12uel5l"},
		{"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio", nil,
			"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs"},
		{"abcdef", data, "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"},
	} {
		if got := bech32Encode(test.prefix, test.data); got != test.want {
			t.Errorf("bech32Encode(%q, %x) = %q, want %q", test.prefix, test.data, got, test.want)
		}
	}
}

// Any 32 bytes give the identity that age takes for them, with the public key
// that crypto/ecdh computes.
func TestBech32AgreesWithAge(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	scalar := make([]byte, 32)
	for i := range 200 {
		if i > 1 { // before that, all bits 0 and all bits 1
			random.Read(scalar)
		} else {
			copy(scalar, bytes.Repeat([]byte{byte(-i)}, 32))
		}
		text := strings.ToUpper(bech32Encode(identityPrefix, scalar))
		identity, err := age.ParseX25519Identity(text)
		if err != nil || identity.String() != text {
			t.Fatalf("age takes our text for %x as another: %v", scalar, err)
		}
		private, err := ecdh.X25519().NewPrivateKey(scalar)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := identity.Recipient().String(), bech32Encode("age", private.PublicKey().Bytes()); got != want {
			t.Errorf("recipient of %x = %q, want %q", scalar, got, want)
		}
	}
}

// A key derived by any release opens the vaults of all others.
func TestDeriveKeyIsFixed(t *testing.T) {
	for _, secret := range []string{strings.Repeat("0123456789abcdef", 4), " \n" + strings.Repeat("0123456789abcdef", 4) + "\r\n"} {
		key, err := DeriveKey(source.NewValue(secret))
		if err != nil {
			t.Fatal(err)
		}
		const recipient, id = "age1554v5th75kzgpkpmvtsan9ndzwm6r4r0m9zml596vw70ff4au5usntl978", "2a01a04d"
		if key.String() != recipient || key.ID() != id {
			t.Errorf("derived recipient %s with ID %s, want %s with %s", key, key.ID(), recipient, id)
		}
	}
}

func TestDeriveKeyFromShortSecret(t *testing.T) {
	for _, secret := range []string{"", strings.Repeat("x", 31), strings.Repeat("é", 31), strings.Repeat("x", 31) + "\n"} {
		key, err := DeriveKey(source.NewValue(secret))
		if source.CodeOf(err) != source.CodeVaultNoKey || !key.IsZero() {
			t.Errorf("%d bytes: key %v, error %v", len(secret), key, err)
		}
	}
	if _, err := DeriveKey(source.NewValue(strings.Repeat("é", 32))); err != nil {
		t.Errorf("32 characters: %v", err)
	}
}

func TestParseKey(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	text := identity.String()
	for _, test := range []struct {
		name, in string
		ok       bool
	}{
		{"bare", text, true},
		{"as age-keygen writes it", "# created: 2026-01-02\r\n# public key: " + identity.Recipient().String() + "\r\n" + text + "\r\n", true},
		{"blanks", "\n  " + text + "\t\n\n", true},
		{"empty", "", false},
		{"only comments", "# a\n", false},
		{"two", text + "\n" + text, false},
		{"recipient", identity.Recipient().String(), false},
		{"cut", text[:len(text)-1], false},
		{"a digit changed", text[:20] + "Q" + text[21:], text[20] == 'Q'},
		{"post-quantum", strings.Replace(text, "KEY-1", "KEY-PQ-1", 1), false},
	} {
		key, err := ParseKey(source.NewValue(test.in))
		if test.ok {
			if err != nil || key.Identity().Reveal() != text || key.String() != identity.Recipient().String() {
				t.Errorf("%s: key %v, error %v", test.name, key, err)
			}
			continue
		}
		if source.CodeOf(err) != source.CodeVaultNoKey || !key.IsZero() {
			t.Errorf("%s: key %v, error %v", test.name, key, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), text[20:40]) {
			t.Errorf("%s: the error holds the identity", test.name)
		}
	}
}

func TestKeyPrintsRecipientsOnly(t *testing.T) {
	reader, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key := testKey(t, "k")
	both, err := key.WithRecipients(reader.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := both.String(), key.String()+" "+reader.Recipient().String(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if both.ID() != key.ID() {
		t.Errorf("a further reader changed the ID from %s to %s", key.ID(), both.ID())
	}
	secret := key.Identity().Reveal()
	hidden := struct{ key Key }{both}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb, both) + fmt.Sprintf(verb, &both) + fmt.Sprintf(verb, hidden) + fmt.Sprintf(verb, []Key{both})
		if strings.Contains(strings.ToUpper(text), "SECRET") || strings.Contains(text, secret[20:40]) {
			t.Errorf("%s prints the identity", verb)
		}
	}
	if fmt.Sprint(Key{}) != "" || (Key{}).ID() != "" || !(Key{}).Identity().Empty() || (Key{}).Recipients() != nil {
		t.Error("the zero key is not empty")
	}
}

func TestWithRecipientsErrors(t *testing.T) {
	key := testKey(t, "k")
	for _, text := range []string{"", "age1x", key.Identity().Reveal(), "ssh-ed25519 AAAA"} {
		got, err := key.WithRecipients(key.String(), text)
		if source.CodeOf(err) != source.CodeVaultNoKey || !got.IsZero() {
			t.Errorf("%q: key %v, error %v", text, got, err)
		}
		if want := "vault recipient 2 is not an age1… X25519 recipient"; err != nil && err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	}
}
