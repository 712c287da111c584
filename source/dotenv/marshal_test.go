package dotenv

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"infisync/source"
)

// Every set that Marshal writes is read back byte for byte, and no value of
// common characters is refused.
func TestMarshalRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	characters := []string{"a", "B", "1", " ", "'", `"`, `\`, "$", "{", "}", "(", "#", "=", "\n", "\r", "\t", "é", "\u00a0", "\u0085", "\xff", "🙂", "`"}
	written := 0
	for i := range 5000 {
		var value strings.Builder
		for range random.IntN(9) {
			value.WriteString(characters[random.IntN(len(characters))])
		}
		name := fmt.Sprintf("NAME_%d", i)
		set := source.NewSet(
			source.Secret{Name: name, Value: source.NewValue(value.String())},
			source.Secret{Name: "B", Value: source.NewValue("must not be expanded")},
		)
		text, err := Marshal(set)
		if err != nil {
			if !strings.Contains(value.String(), "'") || !strings.HasSuffix(value.String(), `"`) {
				t.Errorf("refused %q: %v", value.String(), err)
			}
			continue
		}
		written++
		got, _, err := Parse(text)
		if err != nil || len(got) != 2 || got[name].Reveal() != value.String() {
			t.Errorf("wrote %q as %q and read %q, %v", value.String(), text, got[name].Reveal(), err)
		}
	}
	if written < 4900 {
		t.Errorf("only %d of 5000 values could be written", written)
	}
}

func TestMarshal(t *testing.T) {
	set := source.NewSet(
		source.Secret{Name: "PLAIN", Value: source.NewValue("postgres://u:p@host:5432/db")},
		source.Secret{Name: "EMPTY"},
		source.Secret{Name: "DOLLAR", Value: source.NewValue("pa$$W0RD")},
		source.Secret{Name: "LINES", Value: source.NewValue("a\nb\n")},
		source.Secret{Name: "CRLF", Value: source.NewValue("a\r\nb")},
		source.Secret{Name: "QUOTES", Value: source.NewValue(`it's "$HOME"!`)},
	)
	want := `CRLF="a\r\nb"
DOLLAR='pa$$W0RD'
EMPTY=
LINES='a
b
'
PLAIN=postgres://u:p@host:5432/db
QUOTES="it's \"\$HOME\"!"
`
	if got, err := Marshal(set); err != nil || string(got) != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	for _, secret := range []source.Secret{
		{Name: "A-B", Value: source.NewValue(canary)},
		{Name: "", Value: source.NewValue(canary)},
		{Name: "#A", Value: source.NewValue(canary)},
		{Name: "export A", Value: source.NewValue(canary)},
		{Name: "A=B", Value: source.NewValue(canary)},
		{Name: "A", Value: source.NewValue("'\n" + canary + `"`)},
	} {
		text, err := Marshal(source.NewSet(secret))
		if text != nil || source.CodeOf(err) != source.CodeDotenvInvalid {
			t.Errorf("%q: wrote %q, error %v", secret.Name, text, err)
		}
		if err != nil && (strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), fmt.Sprintf("%q", secret.Name))) {
			t.Errorf("%q: error %q", secret.Name, err)
		}
	}
}
