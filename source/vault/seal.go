package vault

import (
	"bytes"
	"fmt"
	"io"

	"filippo.io/age"
)

// seal returns the vault file for the contents.
func seal(contents Contents, key Key) ([]byte, error) {
	plain, err := encode(contents)
	if err != nil {
		return nil, fmt.Errorf("encoding the vault: %w", err)
	}
	return sealPayload(plain, key)
}

func sealPayload(plain []byte, key Key) ([]byte, error) {
	var recipients []age.Recipient
	for _, recipient := range key.recipients() {
		recipients = append(recipients, recipient)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// unseal returns the payload. It reads to the end: only then is all of it known
// to be what was sealed.
func unseal(sealed []byte, key Key) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), key.identity)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
