package export_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/joho/godotenv"
)

// readers read each format as its consumers do: with the consumer's own parser
// where that is a Go package, else by its documented rules. They refuse what the
// consumer refuses.
var readers = map[string]func(text []byte) (map[string]string, error){
	"dotenv":  func(text []byte) (map[string]string, error) { return godotenv.UnmarshalBytes(text) },
	"json":    readJSON,
	"yaml":    readYAML,
	"shell":   readShell,
	"docker":  readDocker,
	"k8s":     readKubernetes,
	"systemd": readSystemd,
}

func readJSON(text []byte) (map[string]string, error) {
	var values map[string]string
	err := json.Unmarshal(text, &values)
	return values, err
}

func readYAML(text []byte) (map[string]string, error) {
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	values := make(map[string]string)
	for name, value := range all {
		s, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%q is a %T", name, value)
		}
		values[name] = s
	}
	return values, nil
}

func readKubernetes(text []byte) (map[string]string, error) {
	var secret struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   map[string]string
		Type       string
		Data       map[string]string
	}
	if err := yaml.UnmarshalWithOptions(text, &secret, yaml.Strict()); err != nil {
		return nil, err
	}
	if secret.APIVersion != "v1" || secret.Kind != "Secret" || secret.Type != "Opaque" || len(secret.Metadata) != 1 || secret.Metadata["name"] != "app-env" {
		return nil, fmt.Errorf("not the Secret asked for: %+v", secret.Metadata)
	}
	values := make(map[string]string)
	for key, encoded := range secret.Data {
		value, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, err
		}
		values[key] = string(value)
	}
	return values, nil
}

// readShell takes nothing but export NAME= followed by single quotes and \', in
// which there is nothing that a shell could run or expand.
func readShell(text []byte) (map[string]string, error) {
	values := make(map[string]string)
	for rest := string(text); rest != ""; {
		line, ok := strings.CutPrefix(rest, "export ")
		name, quoted, assigned := strings.Cut(line, "=")
		if !ok || !assigned || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return nil, fmt.Errorf("no assignment: %q", rest)
		}
		var value strings.Builder
		for !strings.HasPrefix(quoted, "\n") {
			if after, escaped := strings.CutPrefix(quoted, `\'`); escaped {
				value.WriteByte('\'')
				quoted = after
				continue
			}
			after, opened := strings.CutPrefix(quoted, "'")
			inside, next, closed := strings.Cut(after, "'")
			if !opened || !closed {
				return nil, fmt.Errorf("outside of quotes: %q", quoted)
			}
			value.WriteString(inside)
			quoted = next
		}
		values[name], rest = value.String(), quoted[1:]
	}
	return values, nil
}

// readDocker does what the docker command does with --env-file, line scanner
// included.
func readDocker(text []byte) (map[string]string, error) {
	values := make(map[string]string)
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for first := true; scanner.Scan(); first = false {
		line := scanner.Bytes()
		if !utf8.Valid(line) {
			return nil, errors.New("invalid utf8 bytes")
		}
		if first {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimLeftFunc(line, unicode.IsSpace)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(string(line), "=")
		if name == "" || !ok || strings.ContainsAny(name, " \t") || strings.Contains(value, "\x00") {
			return nil, fmt.Errorf("variable %q", name)
		}
		values[name] = value
	}
	return values, scanner.Err()
}

// readSystemd reads double-quoted values as systemd.exec(5) describes them.
func readSystemd(text []byte) (map[string]string, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8")
	}
	values := make(map[string]string)
	for rest := string(text); rest != ""; {
		name, after, ok := strings.Cut(rest, `="`)
		if !ok || name == "" {
			return nil, fmt.Errorf("no assignment: %q", rest)
		}
		var value strings.Builder
		i := 0
		for ; i < len(after) && after[i] != '"'; i++ {
			if after[i] != '\\' {
				value.WriteByte(after[i])
				continue
			}
			i++
			switch c := after[i]; {
			case strings.IndexByte("\"\\`$", c) >= 0:
				value.WriteByte(c)
			case c != '\n': // a newline continues the line
				value.WriteString(`\` + string(c))
			}
		}
		if !strings.HasPrefix(after[i:], "\"\n") {
			return nil, fmt.Errorf("after a value: %q", after[i:])
		}
		values[name], rest = value.String(), after[i+2:]
	}
	return values, nil
}
