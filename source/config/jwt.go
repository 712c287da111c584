package config

import "infisync/source"

const (
	jwtVariable  = "INFISICAL_JWT"
	oidcVariable = "INFISICAL_OIDC_AUTH_JWT" // its older name, for OIDC alone

	// kubernetesVariable names the file with the service account's token, and
	// podToken is where a pod has it.
	kubernetesVariable = "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"
	podToken           = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

// HasJWT tells whether a JWT is given: not, when it is only looked for in a pod.
func (c Credentials) HasJWT() bool { return c.hasJWT }

// JWT reads the JWT that the method logs in with, from its file each time anew.
func (c Credentials) JWT() (source.Value, error) {
	if c.jwt.from == "" {
		return source.Value{}, source.Errorf(source.CodePartMissing, "the JWT is not set: INFISICAL_JWT or --jwt-file is missing")
	}
	return c.jwt.read()
}

// useJWT takes the first of the JWTs that are for the method, if it needs one.
func (c *Credentials) useJWT(s *Settings, env Environ) {
	given := jwtsFor(s, env)
	if len(given) > 0 {
		c.jwt = given[0]
		c.noteConflict(given)
	}
}

// jwtsFor lists the JWTs for the method in the order of their precedence. The
// service account's token is for the method of that name alone, and that takes
// no variable: such a token is replaced every hour, and a variable is not.
func jwtsFor(s *Settings, env Environ) []givenSecret {
	var given []givenSecret
	add := func(from, path, text string) {
		given = append(given, givenSecret{what: "JWT", from: from, path: path, value: source.NewValue(text)})
	}
	origin := s.Origin("jwt-file")
	var variables []string
	switch s.Method {
	case Kubernetes:
		if s.JWTFile == "" {
			add("the default of --jwt-file with kubernetes auth", podToken, "")
		}
	case OIDC:
		variables = []string{jwtVariable, oidcVariable}
	case JWT:
		variables = []string{jwtVariable}
	default:
		return nil
	}
	if s.JWTFile != "" && (s.Method == Kubernetes || origin != kubernetesVariable) {
		add(origin, s.JWTFile, "")
	}
	for _, name := range variables {
		if text, ok := env.set(name); ok {
			add(name, "", text)
		}
	}
	return given
}
