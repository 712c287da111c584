package config

import (
	"strings"
	"unicode"

	"infisync/source"
)

// Implausible says why a text is no credential, in words that follow what it is called;
// empty when it may be one. White space around it does not count, since infisync and the
// server drop it.
func Implausible(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return "is empty"
	}
	first, last := text[0], text[len(text)-1]
	switch {
	case isPlaceholder(strings.ToLower(text)):
		return "is a placeholder from an example"
	case strings.ContainsFunc(text, unicode.IsSpace):
		return "has white space in it"
	case first == last && (first == '"' || first == '\'') && len(text) > 1:
		return "has quotes around it, which are not part of it"
	}
	return ""
}

// isPlaceholder knows what examples write, in lower case. Real ids and secrets
// are hexadecimal digits.
func isPlaceholder(text string) bool {
	for _, prefix := range []string{"your", "my-", "my_", "<", "[", "{", "${", "$(", "changeme", "change-me", "change_me",
		"replace", "insert", "example", "sample", "placeholder", "todo"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	switch text {
	case "secret", "password", "client-id", "client_id", "client-secret", "client_secret", "none", "null", "undefined", "test":
		return true
	}
	return len(text) > 2 && strings.Trim(text, text[:1]) == "" // xxxx, ****
}

// plausible refuses what cannot be a credential before a login is spent on it: the
// server locks an identity after a few refusals.
func plausible(what, from string, v source.Value) (source.Value, error) {
	if why := Implausible(v.Reveal()); why != "" {
		return source.Value{}, source.Errorf(source.CodeCredentialInvalid, "the %s from %s %s", what, from, why)
	}
	return v, nil
}
