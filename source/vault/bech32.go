package vault

import "strings"

// bech32Alphabet holds the 32 digits of Bech32 (BIP 173) in their order.
const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// bech32Encode returns data in the text form that BIP 173 defines: the lower
// case prefix, "1", the data in groups of five bits, six digits of checksum.
// Package age reads identities in this form only, and has no encoder to call.
func bech32Encode(prefix string, data []byte) string {
	groups := fiveBits(data)
	groups = append(groups, bech32Checksum(prefix, groups)...)
	text := []byte(prefix + "1")
	for _, group := range groups {
		text = append(text, bech32Alphabet[group])
	}
	return string(text)
}

// fiveBits regroups bytes into groups of five bits, the last filled with zeros.
func fiveBits(data []byte) []byte {
	var groups []byte
	var buffer uint
	bits := 0
	for _, b := range data {
		buffer = buffer<<8 | uint(b)
		for bits += 8; bits >= 5; bits -= 5 {
			groups = append(groups, byte(buffer>>(bits-5)&31))
		}
	}
	if bits > 0 {
		groups = append(groups, byte(buffer<<(5-bits)&31))
	}
	return groups
}

func bech32Checksum(prefix string, groups []byte) []byte {
	var values []byte
	for _, c := range []byte(strings.ToLower(prefix)) {
		values = append(values, c>>5)
	}
	values = append(values, 0)
	for _, c := range []byte(strings.ToLower(prefix)) {
		values = append(values, c&31)
	}
	values = append(values, groups...)
	values = append(values, 0, 0, 0, 0, 0, 0)

	check := uint32(1)
	for _, value := range values {
		top := check >> 25
		check = check&0x1ffffff<<5 ^ uint32(value)
		for i, generator := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= generator
			}
		}
	}
	check ^= 1

	digits := make([]byte, 6)
	for i := range digits {
		digits[i] = byte(check >> (5 * (5 - i)) & 31)
	}
	return digits
}
