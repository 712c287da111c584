package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"infisync/source"
)

// names looks for names that a variable cannot have, or only some programs can
// use.
func (c *checkup) names(context.Context) Item {
	if bad := c.judged[codeEnvName]; len(bad) > 0 {
		return failure(codeEnvName, "no variable can be called %s", someQuoted(bad))
	}
	unusual := slices.DeleteFunc(c.set.Names(), isUsual)
	if len(unusual) > 0 {
		return warning(source.CodeNameInvalid, "with characters other than A-Z, 0-9 and _, or beginning with a digit: %s", someQuoted(unusual))
	}
	return ok("all names consist of A-Z, 0-9 and _")
}

// isUsual tells whether any shell can use the name.
func isUsual(name string) bool {
	for i, r := range name {
		letter := r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// refusedNames looks for names by which a server would take over the child.
func (c *checkup) refusedNames(context.Context) Item {
	refused, withheld := c.judged[codeNameRefused], c.judged[codeNamesWithheld]
	switch {
	case len(refused) > 0:
		return failure(codeNameRefused, "names that set interpreter options: %s", someQuoted(refused))
	case len(withheld) > 0:
		return warning(codeNamesWithheld, "left out of the child's environment: %s", someQuoted(withheld))
	}
	return ok("no name is refused")
}

// values looks for whatever else keeps a secret out of an environment.
func (c *checkup) values(context.Context) Item {
	for _, code := range slices.Sorted(maps.Keys(c.judged)) {
		switch code {
		case codeEnvName, codeNameRefused, codeNamesWithheld:
			continue
		}
		return failure(code, "too large for the kernel or not possible in a variable: %s", someQuoted(c.judged[code]))
	}
	return ok("every value fits into a variable")
}

// count is a number with what it counts.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// some joins the first of many.
func some(all []string) string {
	const shown = 5
	if len(all) <= shown {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:shown], ", "), len(all)-shown)
}

func someQuoted(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return some(quoted)
}
