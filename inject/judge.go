package inject

// Judge tells what keeps a server's variable from a child, by the code of the error or
// the warning; empty: nothing does, or Only and Except leave it out.
func Judge(v Var, p Policy) string {
	b := newBuilder(p)
	err := b.add(Layer{Origin: Server, Vars: []Var{v}})
	switch {
	case b.taken == 0:
		return ""
	case err != nil:
		return err.(*Error).Code
	case len(b.refused) > 0:
		return CodeNameRefused
	case len(b.withheld) > 0:
		return WarnWithheld
	}
	return ""
}
