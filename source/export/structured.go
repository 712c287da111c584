package export

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"infisync/source"
)

// writeJSON writes one object. Nothing is escaped that JSON itself does not need
// escaped, so that a URL stays readable.
func writeJSON(out *bytes.Buffer, set source.Set, _ Options) error {
	values := make(map[string]string, set.Len())
	for secret := range set.All() {
		if reason := notText(secret); reason != "" {
			return impossible("json", secret.Name, reason)
		}
		values[secret.Name] = secret.Value.Reveal()
	}
	return source.WriteJSON(out, values)
}

// maxYAMLKey is the length in characters up to which YAML lets a key be written
// before a colon.
const maxYAMLKey = 1024

// writeYAML writes one mapping of double-quoted scalars, so that neither NO nor
// 1e3 nor null is read as anything but text.
func writeYAML(out *bytes.Buffer, set source.Set, _ Options) error {
	if set.Len() == 0 {
		out.WriteString("{}\n")
	}
	for secret := range set.All() {
		if reason := notText(secret); reason != "" {
			return impossible("yaml", secret.Name, reason)
		}
		key := quoteYAML(secret.Name)
		if len(key) > maxYAMLKey {
			return impossible("yaml", secret.Name, "its name is too long for a key")
		}
		fmt.Fprintf(out, "%s: %s\n", key, quoteYAML(secret.Value.Reveal()))
	}
	return nil
}

// notText says why name or value cannot be a text of Unicode characters; empty
// when they can.
func notText(secret source.Secret) (reason string) {
	switch {
	case !utf8.ValidString(secret.Name):
		return "its name is not UTF-8"
	case !utf8.ValidString(secret.Value.Reveal()):
		return reasonUTF8
	}
	return ""
}

// quoteYAML returns valid UTF-8 as a double-quoted scalar on one line. Besides
// what must be escaped, so is every character that a reader may take for a line
// break, may refuse, or cannot show.
func quoteYAML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

const (
	maxKubernetesName = 253     // of an object and of a key in a Secret, in bytes
	maxKubernetesData = 1 << 20 // of all values of a Secret, in bytes
)

// writeKubernetes writes the manifest of an Opaque Secret. Its data is base64,
// so any value fits; stringData could not hold bytes that are no text.
func writeKubernetes(out *bytes.Buffer, set source.Set, opt Options) error {
	if !isSubdomain(opt.Name) {
		return source.Errorf(source.CodeUsage,
			"format k8s needs a name for the Secret (--name), of lower-case letters, digits, dashes and dots")
	}
	fmt.Fprintf(out, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: Opaque\n", quoteYAML(opt.Name))
	if set.Len() == 0 {
		out.WriteString("data: {}\n")
		return nil
	}
	out.WriteString("data:\n")
	var total, largest int
	var largestName string
	for secret := range set.All() {
		if !isKubernetesKey(secret.Name) {
			return impossible("k8s", secret.Name, "a key has at most 253 letters, digits, dashes, dots and underscores and does not begin with two dots")
		}
		value := secret.Value.Reveal()
		total += len(value)
		if len(value) >= largest {
			largest, largestName = len(value), secret.Name
		}
		fmt.Fprintf(out, "  %s: %s\n", quoteYAML(secret.Name), quoteYAML(base64.StdEncoding.EncodeToString([]byte(value))))
	}
	if total > maxKubernetesData {
		return impossible("k8s", largestName, fmt.Sprintf(
			"it is the largest, of %d bytes, and a Secret holds at most %d, not %d", largest, maxKubernetesData, total))
	}
	return nil
}

// isKubernetesKey tells what Kubernetes allows as a key of a Secret's data.
func isKubernetesKey(s string) bool {
	return s != "" && len(s) <= maxKubernetesName && strings.Trim(s, identifierCharacters+"-.") == "" &&
		s != "." && !strings.HasPrefix(s, "..")
}

// isSubdomain tells whether s is a DNS subdomain, as an object's name must be:
// labels of lower-case letters, digits and dashes that neither begin nor end
// with a dash, joined by dots.
func isSubdomain(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(label, allowed) != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(s) <= maxKubernetesName
}
