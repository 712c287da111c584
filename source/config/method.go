package config

import (
	"fmt"
	"strings"

	"infisync/source"
)

// A Method is a way to log in.
type Method string

// The methods. The last three log in with the identity's own id and a JWT.
const (
	Universal  Method = "universal" // client id and client secret
	Token      Method = "token"     // a ready token: there is nothing to log in with
	Kubernetes Method = "kubernetes"
	OIDC       Method = "oidc"
	JWT        Method = "jwt"
)

// String is what a user is told of the method.
func (m Method) String() string {
	switch m {
	case Token:
		return "a ready token"
	case OIDC, JWT:
		return strings.ToUpper(string(m)) + " auth"
	}
	return string(m) + " auth"
}

// method reads a method, also as the official tools name it, "oidc-auth", or nothing.
func method(into *string) reader {
	known := oneOf(into, string(Universal), string(Token), string(Kubernetes), string(OIDC), string(JWT))
	return func(texts []string) string {
		if last(texts) == "" {
			*into = ""
			return ""
		}
		return known([]string{strings.TrimSuffix(last(texts), "-auth")})
	}
}

// settleMethod decides how to log in and with which JWT. Of what is set, client id
// and secret come first, then a ready token, which others than infisync may have
// got with the JWT beside it.
func (s *Settings) settleMethod(env Environ) {
	var complete []Method
	if s.ClientID != "" && s.Credentials.HasSecret() {
		complete = append(complete, Universal)
	}
	if s.Credentials.HasToken() {
		complete = append(complete, Token)
	}
	if s.IdentityID != "" && s.Credentials.HasJWT() {
		complete = append(complete, s.methodOfJWT(env))
	}
	half := s.ClientID != "" || s.Credentials.HasSecret() // of what is told to be missing
	switch {
	case s.Auth != "":
		s.Method = Method(s.Auth)
	case len(complete) > 0:
		s.Method = complete[0]
	case !half && (s.IdentityID != "" || s.Credentials.HasJWT()):
		s.Method = s.methodOfJWT(env)
	default:
		s.Method = Universal
	}
	if s.Auth == "" {
		for _, other := range complete[min(1, len(complete)):] {
			s.Notices = append(s.Notices, fmt.Sprintf("%s is used to log in, not %s, which is set too: --auth chooses", s.Method, other))
		}
	}
	s.Credentials.useJWT(s, env)
}

// methodOfJWT is the method that the JWT is for, as far as the way in which it is
// given tells. An identity id alone is meant for a pod, which has its JWT.
func (s *Settings) methodOfJWT(env Environ) Method {
	_, isOIDC := env.set(oidcVariable)
	switch {
	case isOIDC:
		return OIDC
	case s.Credentials.HasJWT() && s.Origin("jwt-file") != kubernetesVariable:
		return JWT
	}
	return Kubernetes
}

// missingPart says what the login lacks; nil: nothing.
func (s *Settings) missingPart() error {
	c := s.Credentials
	lacks := func(what string) error {
		return source.Errorf(source.CodePartMissing, "%s asks for %s: %s missing", s.Origin("auth"), s.Method, what)
	}
	switch {
	case s.Method == Universal:
		return s.missingForUniversal(lacks)
	case s.Method == Token && !c.HasToken():
		return lacks("INFISICAL_TOKEN is")
	case s.Method == Token:
		return nil
	case s.IdentityID == "" && s.Auth != "":
		return lacks("INFISICAL_MACHINE_IDENTITY_ID is")
	case s.IdentityID == "":
		return source.Errorf(source.CodePartMissing, "a JWT is set (%s) but no identity id: INFISICAL_MACHINE_IDENTITY_ID is missing", c.jwt.from)
	case c.jwt.from == "":
		return lacks("INFISICAL_JWT or --jwt-file is")
	}
	return nil
}

func (s *Settings) missingForUniversal(lacks func(string) error) error {
	noID, noSecret := s.ClientID == "", !s.Credentials.HasSecret()
	switch {
	case noID && noSecret && s.Auth != "":
		return lacks("INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET are")
	case noID && noSecret:
		return source.Errorf(source.CodePartMissing, "a server is set (%s) but no credential: INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET are missing", s.Origin("url"))
	case noID:
		return source.Errorf(source.CodePartMissing, "a client secret is set but no client id: INFISICAL_CLIENT_ID is missing")
	case noSecret:
		return source.Errorf(source.CodePartMissing, "a client id is set (%s) but no client secret: INFISICAL_CLIENT_SECRET is missing", s.Origin("client-id"))
	}
	return nil
}
