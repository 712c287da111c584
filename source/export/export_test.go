package export_test

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/export"
)

var options = export.Options{Name: "app-env"}

func setOf(pairs ...string) source.Set {
	var secrets []source.Secret
	for pair := range slices.Chunk(pairs, 2) {
		secrets = append(secrets, source.Secret{Name: pair[0], Value: source.NewValue(pair[1])})
	}
	return source.NewSet(secrets...)
}

func write(t *testing.T, format string, set source.Set) string {
	t.Helper()
	var out strings.Builder
	if err := export.Write(&out, format, set, options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestFormats shows each format once, and that the tests know them all.
func TestFormats(t *testing.T) {
	set := setOf("B_URL", "https://u:p@h/?a=b&c=<d>", "A_PEM", "-----BEGIN-----\nab'c\n", "C_EMPTY", "")
	want := map[string]string{
		"dotenv":  "A_PEM=\"-----BEGIN-----\\nab'c\\n\"\nB_URL='https://u:p@h/?a=b&c=<d>'\nC_EMPTY=\n",
		"json":    "{\n  \"A_PEM\": \"-----BEGIN-----\\nab'c\\n\",\n  \"B_URL\": \"https://u:p@h/?a=b&c=<d>\",\n  \"C_EMPTY\": \"\"\n}\n",
		"yaml":    "\"A_PEM\": \"-----BEGIN-----\\nab'c\\n\"\n\"B_URL\": \"https://u:p@h/?a=b&c=<d>\"\n\"C_EMPTY\": \"\"\n",
		"shell":   "export A_PEM='-----BEGIN-----\nab'\\''c\n'\nexport B_URL='https://u:p@h/?a=b&c=<d>'\nexport C_EMPTY=''\n",
		"docker":  "",
		"k8s":     "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"app-env\"\ntype: Opaque\ndata:\n  \"A_PEM\": \"LS0tLS1CRUdJTi0tLS0tCmFiJ2MK\"\n  \"B_URL\": \"aHR0cHM6Ly91OnBAaC8/YT1iJmM9PGQ+\"\n  \"C_EMPTY\": \"\"\n",
		"systemd": "A_PEM=\"-----BEGIN-----\nab'c\n\"\nB_URL=\"https://u:p@h/?a=b&c=<d>\"\nC_EMPTY=\"\"\n",
	}
	for _, format := range export.Formats() {
		text, known := want[format]
		if _, readable := readers[format]; !known || !readable {
			t.Errorf("format %s is not tested", format)
			continue
		}
		set := set
		if format == "docker" {
			set, text = setOf("B", " x # 'y' ", "A", "$HOME"), "A=$HOME\nB= x # 'y' \n"
		}
		if got := write(t, format, set); got != text {
			t.Errorf("format %s:\n%s\nwant:\n%s", format, got, text)
		}
	}
	if len(want) != len(export.Formats()) {
		t.Errorf("formats %q, want the keys of the table", export.Formats())
	}
}

func TestEmptySet(t *testing.T) {
	for _, format := range export.Formats() {
		values, err := readers[format]([]byte(write(t, format, source.Set{})))
		if err != nil || len(values) > 0 {
			t.Errorf("format %s of nothing is read as %q, %v", format, values, err)
		}
	}
}

// TestImpossible lists what a format cannot carry: it is refused by the secret's
// name, nothing of any secret is written, and no value is told.
func TestImpossible(t *testing.T) {
	const nul, notUTF8, mark, reserved = "s3cret\x00", "s3cret\xff", "s3cret\ufeff", "s3cret\ufdd0"
	tests := []struct {
		format      string
		name, value string
		reason      string
	}{
		{"dotenv", "A-B", "s3cret", "underscores"},
		{"dotenv", "A B", "s3cret", "underscores"},
		{"dotenv", "export A", "s3cret", "underscores"},
		{"dotenv", "#A", "s3cret", "underscores"},
		{"dotenv", "", "s3cret", "underscores"},
		{"dotenv", "A", nul, "NUL"},
		{"dotenv", "A", "'\ns3cret\"", "quotings"},
		{"json", "A", notUTF8, "not UTF-8"},
		{"json", "A\xff", "s3cret", "name is not UTF-8"},
		{"yaml", "A", notUTF8, "not UTF-8"},
		{"yaml", "A\xff", "s3cret", "name is not UTF-8"},
		{"yaml", strings.Repeat("A", 1023), "s3cret", "too long"},
		{"shell", "A", nul, "NUL"},
		{"shell", "A-B", "s3cret", "letters"},
		{"shell", "A;touch x", "s3cret", "letters"},
		{"shell", "1A", "s3cret", "letters"},
		{"shell", "Ü", "s3cret", "letters"},
		{"shell", "", "s3cret", "letters"},
		{"shell", "RANDOM", "a[$(s3cret)]", "shell itself"},
		{"shell", "PS4", "$(s3cret)", "shell itself"},
		{"shell", "BASH_ENV", "$(s3cret)", "shell itself"},
		{"docker", "A", "s3cret\nB=x", "newline"},
		{"docker", "A", "s3cret\r", "carriage return"},
		{"docker", "A", nul, "NUL"},
		{"docker", "A", notUTF8, "not UTF-8"},
		{"docker", "A", "s3cret" + strings.Repeat("x", 64<<10-len("A=s3cret")), "64 KiB"},
		{"docker", "#A", "s3cret", "comment"},
		{"docker", "A B", "s3cret", "blank"},
		{"docker", " A", "s3cret", "blank"},
		{"docker", "A=B", "s3cret", "equals sign"},
		{"docker", "A\nB", "s3cret", "control character"},
		{"docker", "\ufeffA", "s3cret", "begins like"},
		{"docker", "A\xff", "s3cret", "name"},
		{"docker", "", "s3cret", "empty"},
		{"k8s", "A B", "s3cret", "253"},
		{"k8s", "", "s3cret", "253"},
		{"k8s", ".", "s3cret", "dots"},
		{"k8s", "..A", "s3cret", "dots"},
		{"k8s", "Ü", "s3cret", "letters"},
		{"k8s", strings.Repeat("A", 254), "s3cret", "253"},
		{"k8s", "A", "s3cret" + strings.Repeat("x", 1<<20), "largest"},
		{"systemd", "A", nul, "NUL"},
		{"systemd", "A", notUTF8, "not UTF-8"},
		{"systemd", "A", mark, "byte order mark"},
		{"systemd", "A", reserved, "Unicode reserves"},
		{"systemd", "A", "s3cret\U0010ffff", "Unicode reserves"},
		{"systemd", "A.B", "s3cret", "letters"},
	}
	for _, test := range tests {
		var out strings.Builder
		err := export.Write(&out, test.format, setOf("0_FINE", "x", test.name, test.value, "z_fine", "x"), options)
		if test.format == "shell" || test.format == "systemd" {
			out.Reset()
			err = export.Write(&out, test.format, setOf("AA_FINE", "x", test.name, test.value, "z_fine", "x"), options)
		}
		switch {
		case source.CodeOf(err) != source.CodeExportImpossible:
			t.Errorf("%s of %.20q: %v, want export-impossible", test.format, test.name, err)
		case !strings.Contains(err.Error(), strconv.Quote(test.name)) || !strings.Contains(err.Error(), test.reason):
			t.Errorf("%s of %.20q: %v, want the name and %q", test.format, test.name, err, test.reason)
		case strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%s of %.20q: the error tells the value: %v", test.format, test.name, err)
		}
		if out.Len() > 0 {
			t.Errorf("%s of %.20q: wrote %q", test.format, test.name, out.String())
		}
	}
}

// The limits themselves are still carried.
func TestJustPossible(t *testing.T) {
	tests := []struct{ format, name, value string }{
		{"docker", "A", strings.Repeat("x", 64<<10-len("A=\n"))},
		{"docker", "a.b-c*", "\ra\rb\t "},
		{"k8s", strings.Repeat("A", 253), strings.Repeat("\xff", 1<<20)},
		{"k8s", ".a", ""},
		{"yaml", strings.Repeat("A", 1022), ""},
		{"json", "", "\x00"},
		{"shell", "_A", "\xff\x01\x7f"},
		{"systemd", "_", "\x01\x7f\u0085\u2028\ufffd"},
	}
	for _, test := range tests {
		values, err := readers[test.format]([]byte(write(t, test.format, setOf(test.name, test.value))))
		if got, ok := values[test.name]; err != nil || !ok || got != test.value || len(values) != 1 {
			t.Errorf("%s of %.20q is not read back: %v", test.format, test.name, err)
		}
	}
}

func TestUsage(t *testing.T) {
	set := setOf("A", "x")
	for _, name := range []string{"", "App", "-a", "a-", "a..b", ".a", "a_b", "a\n", strings.Repeat("a", 254)} {
		if err := export.Write(io.Discard, "k8s", set, export.Options{Name: name}); source.CodeOf(err) != source.CodeUsage {
			t.Errorf("k8s with the name %.20q: %v, want a usage error", name, err)
		}
	}
	for _, name := range []string{"a", "0", "a-b.c-0", strings.Repeat("a", 253)} {
		if err := export.Write(io.Discard, "k8s", set, export.Options{Name: name}); err != nil {
			t.Errorf("k8s with the name %.20q: %v", name, err)
		}
	}
	for _, format := range []string{"", "xml", "JSON"} {
		if err := export.Write(io.Discard, format, set, options); source.CodeOf(err) != source.CodeUsage {
			t.Errorf("format %q: %v, want a usage error", format, err)
		}
	}
	reader, writer := io.Pipe()
	reader.Close()
	if err := export.Write(writer, "json", set, options); source.CodeOf(err) != source.CodeExportFile || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("to a closed pipe: %v", err)
	}
}

func TestRenderer(t *testing.T) {
	pairs := func(yield func(name, value string) bool) {
		_ = yield("A", "1") && yield("B", "two\nlines")
	}
	text, err := export.Renderer("json", export.Options{})(pairs)
	if want := write(t, "json", setOf("A", "1", "B", "two\nlines")); err != nil || string(text) != want {
		t.Errorf("got %q, %v, want %q", text, err, want)
	}
	if text, err := export.Renderer("docker", export.Options{})(pairs); source.CodeOf(err) != source.CodeExportImpossible || len(text) > 0 {
		t.Errorf("got %q, %v", text, err)
	}
}
