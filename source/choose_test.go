package source

import (
	"fmt"
	"testing"
	"time"
)

// TestChoose goes through every combination: a vault answers only for a server
// out of reach, and only one that is allowed, there and young enough.
func TestChoose(t *testing.T) {
	const stale = time.Hour
	fallbacks := []Fallback{{}, {Vault: true}, {Dotenv: true}, {Vault: true, Dotenv: true}}
	for _, cause := range []Cause{CauseOther, CauseNothingConfigured, CauseOutOfReach, CauseRefused} {
		for _, fallback := range fallbacks {
			for _, hasVault := range []bool{false, true} {
				for _, hasDotenv := range []bool{false, true} {
					for _, age := range []time.Duration{-time.Second, 0, stale, stale + 1} {
						have := Have{Vault: hasVault, Age: age, MaxStale: stale, Dotenv: hasDotenv, Fallback: fallback}
						want := AnswerNone
						switch {
						case cause == CauseOutOfReach && fallback.Vault && hasVault && age >= 0 && age <= stale:
							want = AnswerVault
						case (cause == CauseOutOfReach || cause == CauseNothingConfigured) && fallback.Dotenv && hasDotenv:
							want = AnswerDotenv
						}
						if got := Choose(cause, have); got != want {
							t.Errorf("Choose(%d, %+v) = %d, want %d", cause, have, got, want)
						}
					}
				}
			}
		}
	}
}

func TestCauseOf(t *testing.T) {
	// What is not listed here is CauseOther, for which nothing falls back.
	want := map[Code]Cause{
		CodeNothingConfigured: CauseNothingConfigured,
		CodeUnreachable:       CauseOutOfReach, CodeTLS: CauseOutOfReach, CodeTimeout: CauseOutOfReach,
		CodeServerError: CauseOutOfReach, CodeRateLimited: CauseOutOfReach, CodeNotTheAPI: CauseOutOfReach,
		CodeRedirect: CauseOutOfReach, CodeIdentityLocked: CauseOutOfReach, CodeStartupTimeout: CauseOutOfReach,
		CodeLoginRefused: CauseRefused, CodeTokenRefused: CauseRefused, CodeAccessDenied: CauseRefused, CodeLoginWithheld: CauseRefused,
	}
	for code, cause := range want {
		if got := CauseOf(code); got != cause {
			t.Errorf("CauseOf(%s) = %d, want %d", code, got, cause)
		}
	}
	for _, code := range []Code{CodeProjectNotFound, CodePlaceNotFound, CodeValueMasked, CodeNothingFound, CodePartMissing, CodeNoEnvironment, "", "unheard-of"} {
		if got := CauseOf(code); got != CauseOther {
			t.Errorf("CauseOf(%s) = %d, want other", code, got)
		}
	}
}

func TestCodeOf(t *testing.T) {
	inner := Errorf(CodeTimeout, "no answer")
	tests := []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{inner, CodeTimeout},
		{fmt.Errorf("wrapped: %w", inner), CodeTimeout},
		{Errorf(CodeStartupTimeout, "the start took too long: %w", inner), CodeStartupTimeout},
		{fmt.Errorf("foreign"), CodeInternal},
	}
	for _, test := range tests {
		if got := CodeOf(test.err); got != test.want {
			t.Errorf("CodeOf(%v) = %q, want %q", test.err, got, test.want)
		}
	}
}
