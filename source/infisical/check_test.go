package infisical_test

import (
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

func TestCheckValue(t *testing.T) {
	for value, want := range map[string]source.Code{
		"": "", "a\nb": "", "nul\x00": "", "<hidden-by-infisical> and more": "",
		"<hidden-by-infisical>":       source.CodeValueMasked,
		" <hidden-by-infisical>\r\n ": source.CodeValueMasked,
		"canary\xff":                  source.CodeRequestRefused,
	} {
		err := infisical.CheckValue(source.NewValue(value))
		if got := source.CodeOf(err); got != want {
			t.Errorf("CheckValue(%q): code %q, want %q", value, got, want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the error holds the value: %v", err)
		}
	}
}
