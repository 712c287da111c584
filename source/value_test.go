package source

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = `ca"na'ry-` + "\n" + `7f3a`

// forms are the ways in which a printed secret could hide.
func forms(s string) []string {
	quoted, _ := json.Marshal(s)
	return []string{s, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		base64.StdEncoding.EncodeToString([]byte(s)), strings.Trim(string(quoted), `"`), "7f3a"}
}

func TestValuePrintsNothing(t *testing.T) {
	type inner struct{ secret Value }
	v := NewValue(canary)
	holders := []any{
		v, &v, inner{v}, &inner{v}, []Value{v}, []inner{{v}}, map[string]Value{"k": v}, map[string]inner{"k": {v}},
		[1]Value{v}, struct{ any }{v}, Secret{Name: "N", Value: v}, &Secret{Value: v}, []Secret{{Value: v}},
		NewSet(Secret{Name: "N", Value: v}), struct{ set Set }{NewSet(Secret{Name: "N", Value: v})},
		Listing{Own: []Secret{{Value: v}}}, fmt.Errorf("wrapping %v", v),
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"}
	for _, holder := range holders {
		var printed []string
		for _, verb := range verbs {
			printed = append(printed, fmt.Sprintf(verb, holder))
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "holder", holder)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "holder", holder)
		asJSON, _ := json.Marshal(holder)
		printed = append(printed, log.String(), string(asJSON), panicText(holder))
		for _, text := range printed {
			for _, form := range forms(canary) {
				if strings.Contains(text, form) {
					t.Errorf("%T printed its value: %q", holder, text)
				}
			}
		}
	}
}

func panicText(v any) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	panic(v)
}

func TestValueUnmarshalKeepsBytes(t *testing.T) {
	var v Value
	if err := json.Unmarshal([]byte(`"a\u0000\nü\\"`), &v); err != nil || v.Reveal() != "a\x00\nü\\" {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
	if err := json.Unmarshal([]byte(`null`), &v); err != nil || !v.Empty() {
		t.Errorf("null gave %q, %v", v.Reveal(), err)
	}
	err := json.Unmarshal([]byte(`{"s3cret":1}`), &v)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("an object gave the error %v, want one that quotes nothing", err)
	}
}
