package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infisync/source"
)

// How to log in follows from --auth, else from what is set.
func TestMethod(t *testing.T) {
	universal := []string{"INFISICAL_CLIENT_ID=i", "INFISICAL_CLIENT_SECRET=s"}
	identity := "INFISICAL_MACHINE_IDENTITY_ID=m"
	with := func(more ...string) []string { return slices.Concat(universal, more) }
	tests := []struct {
		name   string
		env    []string
		want   Method
		notice string // empty: none
	}{
		{"nothing", nil, Universal, ""},
		{"client id and secret", universal, Universal, ""},
		{"client id", []string{"INFISICAL_CLIENT_ID=i"}, Universal, ""},
		{"client id, and an identity without a JWT", []string{"INFISICAL_CLIENT_ID=i", identity}, Universal, ""},
		{"token", []string{"INFISICAL_TOKEN=t"}, Token, ""},
		{"token beside half of universal auth", []string{"INFISICAL_TOKEN=t", "INFISICAL_CLIENT_ID=i"}, Token, ""},
		{"identity", []string{identity}, Kubernetes, ""},
		{"token's path", []string{identity, "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH=/t"}, Kubernetes, ""},
		{"file", []string{identity, "INFISICAL_JWT_FILE=/t"}, JWT, ""},
		{"variable", []string{identity, "INFISICAL_JWT=a"}, JWT, ""},
		{"JWT alone", []string{"INFISICAL_JWT=a"}, JWT, ""},
		{"variable for OIDC", []string{identity, "INFISICAL_OIDC_AUTH_JWT=a"}, OIDC, ""},
		{"universal auth before a token", with("INFISICAL_TOKEN=t"), Universal, "universal auth is used to log in, not a ready token"},
		{"universal auth before a JWT", with(identity, "INFISICAL_JWT=a"), Universal, "universal auth is used to log in, not JWT auth"},
		{"universal auth beside an identity", with(identity), Universal, ""},
		{"token before a JWT", []string{"INFISICAL_TOKEN=t", identity, "INFISICAL_OIDC_AUTH_JWT=a"}, Token, "a ready token is used to log in, not OIDC auth"},
		{"chosen", with(identity, "INFISICAL_JWT=a", "INFISYNC_AUTH=oidc"), OIDC, ""},
		{"chosen by the official name", with(identity, "INFISICAL_JWT=a", "INFISICAL_AUTH_METHOD=jwt-auth"), JWT, ""},
		{"chosen, and not there", with("INFISYNC_AUTH=token"), Token, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, nil, environ(test.env...), t.TempDir())
			if s.Method != test.want {
				t.Errorf("method %q, want %q", string(s.Method), string(test.want))
			}
			if got := strings.Join(s.Notices, "\n"); (got == "") != (test.notice == "") || !strings.Contains(got, test.notice) {
				t.Errorf("notices %q, want %q", got, test.notice)
			}
		})
	}
}

func TestMethodUnknown(t *testing.T) {
	_, err := Load(Run, Given{"auth": {"password"}}, environ(), t.TempDir())
	if source.CodeOf(err) != source.CodeUsage || !strings.Contains(err.Error(), `--auth "password" must be one of universal, token, kubernetes, oidc, jwt`) {
		t.Errorf("--auth password gave %v", err)
	}
	_, err = Load(Run, nil, environ("INFISICAL_AUTH_METHOD=aws-iam"), t.TempDir())
	if source.CodeOf(err) != source.CodeConfigInvalid || !strings.Contains(err.Error(), "INFISICAL_AUTH_METHOD must be one of") {
		t.Errorf("INFISICAL_AUTH_METHOD gave %v", err)
	}
	s := load(t, Given{"auth": {""}}, environ("INFISICAL_AUTH_METHOD=jwt", "INFISICAL_TOKEN=t"), t.TempDir())
	if s.Method != Token {
		t.Errorf("an empty --auth leaves %s", s.Method)
	}
}

// What a chosen method lacks is named, whatever else is set.
func TestCheckMethods(t *testing.T) {
	set := []string{"INFISICAL_URL=u", "INFISICAL_CLIENT_ID=i", "INFISICAL_CLIENT_SECRET=s"}
	identity := "INFISICAL_MACHINE_IDENTITY_ID=m"
	tests := []struct {
		env  []string
		code source.Code
		want string
	}{
		{[]string{"INFISYNC_AUTH=kubernetes"}, source.CodePartMissing, "a login is set (INFISYNC_AUTH) but no server"},
		{[]string{identity}, source.CodePartMissing, "a credential is set but no server"},
		{[]string{"INFISICAL_URL=u", "INFISYNC_AUTH=universal", identity}, source.CodePartMissing,
			"INFISYNC_AUTH asks for universal auth: INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET are missing"},
		{slices.Concat(set, []string{"INFISYNC_AUTH=token"}), source.CodePartMissing, "INFISYNC_AUTH asks for a ready token: INFISICAL_TOKEN is missing"},
		{slices.Concat(set, []string{"INFISYNC_AUTH=kubernetes"}), source.CodePartMissing, "asks for kubernetes auth: INFISICAL_MACHINE_IDENTITY_ID is missing"},
		{slices.Concat(set, []string{"INFISYNC_AUTH=oidc", identity}), source.CodePartMissing, "asks for OIDC auth: INFISICAL_JWT or --jwt-file is missing"},
		{slices.Concat(set, []string{"INFISYNC_AUTH=jwt", identity, "INFISICAL_OIDC_AUTH_JWT=a"}), source.CodePartMissing, "asks for JWT auth: INFISICAL_JWT or --jwt-file is missing"},
		{[]string{"INFISICAL_URL=u", "INFISICAL_JWT=a"}, source.CodePartMissing, "a JWT is set (INFISICAL_JWT) but no identity id: INFISICAL_MACHINE_IDENTITY_ID is missing"},
		{[]string{"INFISICAL_URL=u", identity, "INFISICAL_JWT= "}, source.CodePartMissing, "the credential from INFISICAL_JWT is empty"},
		{[]string{"INFISICAL_URL=u", identity, "INFISICAL_JWT_FILE=/nowhere/jwt"}, source.CodeConfigInvalid, "reading the JWT (INFISICAL_JWT_FILE): no such file"},
		{[]string{"INFISICAL_URL=u", identity, "INFISICAL_JWT=a"}, "", ""},
		// The outer infisync leaves the choice in the environment and takes the rest out.
		{[]string{"INFISICAL_URL=u", "INFISYNC_AUTH=kubernetes", "INFISYNC_RUN=1"}, "", ""},
	}
	for _, test := range tests {
		err := load(t, nil, environ(test.env...), t.TempDir()).Check()
		if source.CodeOf(err) != test.code || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: got [%s] %v, want [%s] … %s", test.env, source.CodeOf(err), err, test.code, test.want)
		}
	}
}

// A file beats a variable, and each method has its own variables.
func TestJWT(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "jwt"), " from-file\n")
	pod := write(t, filepath.Join(dir, "pod"), "from-pod")
	inPod := "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH=" + pod
	tests := []struct {
		name    string
		auth    Method
		given   Given
		env     []string
		want    string
		notices int
	}{
		{"file first", JWT, Given{"jwt-file": {file}}, []string{"INFISICAL_JWT=from-variable"}, "from-file", 1},
		{"the same in two places", JWT, Given{"jwt-file": {file}}, []string{"INFISICAL_JWT=from-file"}, "from-file", 0},
		{"file before the pod's", Kubernetes, Given{"jwt-file": {file}}, []string{inPod}, "from-file", 0},
		{"the pod's", Kubernetes, nil, []string{inPod, "INFISICAL_JWT=from-variable"}, "from-pod", 0},
		{"not the pod's", OIDC, nil, []string{inPod, "INFISICAL_JWT=from-variable"}, "from-variable", 0},
		{"OIDC's older name", OIDC, nil, []string{"INFISICAL_OIDC_AUTH_JWT=from-old"}, "from-old", 0},
		{"OIDC's two names", OIDC, nil, []string{"INFISICAL_OIDC_AUTH_JWT=from-old", "INFISICAL_JWT=from-new"}, "from-new", 1},
		{"another method's", JWT, nil, []string{"INFISICAL_OIDC_AUTH_JWT=from-old", "INFISICAL_JWT=from-new"}, "from-new", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			env := append(test.env, "INFISYNC_AUTH="+string(test.auth), "INFISICAL_MACHINE_IDENTITY_ID=m")
			s := load(t, test.given, environ(env...), dir)
			id, got, err := s.Credential()
			if err != nil || got.Reveal() != test.want || id != string(test.auth)+":m" {
				t.Errorf("got %q for %q, %v, want %q", got.Reveal(), id, err, test.want)
			}
			if notices := strings.Join(s.Notices, "\n"); len(s.Notices) != test.notices || strings.Contains(notices, "from-") {
				t.Errorf("notices %q, want %d without a JWT", notices, test.notices)
			}
			for _, variable := range env[:len(env)-2] {
				name, _, _ := strings.Cut(variable, "=")
				if !slices.Contains(s.Credentials.Withheld(), name) {
					t.Errorf("%s is left to the child", name)
				}
			}
		})
	}
	s := load(t, Given{"jwt-file": {file}}, environ("INFISICAL_MACHINE_IDENTITY_ID=m"), dir)
	write(t, file, "rotated")
	if got, err := s.Credentials.JWT(); err != nil || got.Reveal() != "rotated" {
		t.Errorf("after the file changed: %q, %v", got.Reveal(), err)
	}
	if _, err := load(t, nil, environ(), dir).Credentials.JWT(); source.CodeOf(err) != source.CodePartMissing {
		t.Errorf("without a JWT: %v", err)
	}
}

// Outside a pod the error of kubernetes auth says where the token was looked for.
func TestPodToken(t *testing.T) {
	if exists(podToken) {
		t.Skip("this is a pod")
	}
	err := load(t, nil, environ("INFISICAL_URL=u", "INFISICAL_MACHINE_IDENTITY_ID=m"), t.TempDir()).Check()
	want := "reading the JWT (the default of --jwt-file with kubernetes auth): stat " + podToken
	if source.CodeOf(err) != source.CodeConfigInvalid || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
