package export

import (
	"strings"

	"github.com/joho/godotenv"
)

// bareCharacters mean nothing to any reader of .env files.
const bareCharacters = identifierCharacters + "-./:@%+,="

// dotenvLine returns NAME=value in the first of these quotings that godotenv
// reads as it should: bare where no reader could mistake it, in single quotes,
// in which all readers take what is in them as it is, then as godotenv alone
// needs it. It is tried, not reasoned about: godotenv trims quotes, unescapes in
// several rounds and takes a backslash before a quote for an escape whatever
// precedes it.
func dotenvLine(name, value string) (text, reason string) {
	switch {
	case name == "" || strings.Trim(name, identifierCharacters+".") != "":
		return "", "a name in a .env file has only letters, digits, underscores and dots"
	case strings.Contains(value, "\x00"):
		return "", reasonNul
	}
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
		text := name + "=" + quoted
		// Its error, which quotes the value, says only that another is to be tried.
		read, err := godotenv.Unmarshal(text + "\n")
		if got, ok := read[name]; err == nil && ok && got == value && len(read) == 1 {
			return text, ""
		}
	}
	return "", "none of the quotings that godotenv knows carries its value"
}
