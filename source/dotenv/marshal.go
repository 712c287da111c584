package dotenv

import (
	"bytes"
	"strings"

	"github.com/joho/godotenv"

	"infisync/source"
)

// Marshal returns the text of a .env file, a line or more for each secret in the
// order of the names, which reads back as the same names and bytes. Values are
// bare where no reader could mistake them, else in single quotes, in which all
// readers take them as they are, else as godotenv alone needs it. A name or
// value that no quoting carries is an error with source.CodeDotenvInvalid that
// names the secret.
func Marshal(set source.Set) ([]byte, error) {
	var text bytes.Buffer
	for secret := range set.All() {
		line, ok := assignment(secret.Name, secret.Value.Reveal())
		if !ok {
			return nil, source.Errorf(source.CodeDotenvInvalid, "secret %q cannot be written in a .env file", secret.Name)
		}
		text.WriteString(line)
	}
	return text.Bytes(), nil
}

// assignment returns NAME=VALUE in the first quoting that reads back right. It
// is tried, not reasoned about: godotenv trims quotes, unescapes in several
// rounds and takes a backslash before a quote for an escape whatever precedes.
func assignment(name, value string) (string, bool) {
	var quotings []string
	if strings.Trim(value, bareCharacters) == "" {
		quotings = append(quotings, value)
	}
	escaped := strings.NewReplacer("\n", `\n`, "\r", `\r`, `\`, `\\`, `"`, `\"`, "$", `\$`).Replace(value)
	quotings = append(quotings,
		"'"+value+"'",
		`"`+escaped+`"`,
		strings.ReplaceAll(value, "$", `\$`),
		// A backslash at the end hides the first quote, and both are trimmed.
		"'"+value+"''",
		`"`+escaped+`""`,
	)
	for _, quoted := range quotings {
		line := name + "=" + quoted + "\n"
		read, err := godotenv.Unmarshal(line)
		if got, ok := read[name]; err == nil && ok && got == value && len(read) == 1 && name != "" {
			return line, true
		}
	}
	return "", false
}

// bareCharacters mean nothing to any reader of .env files.
const bareCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,="
