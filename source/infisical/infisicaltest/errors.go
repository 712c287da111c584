package infisicaltest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// object is a JSON object on its way out.
type object = map[string]any

// An apiError is an answer that is not a success.
type apiError struct {
	status     int
	name       string // the envelope's "error"
	message    any    // a string, or issues
	details    any
	retryAfter int  // seconds; 0: no such header
	bare       bool // without a request id, as the framework below the API answers
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %v", e.status, e.name, e.message) }

func badRequest(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, name: "BadRequest", message: message}
}

func unauthorized(message string) *apiError {
	return &apiError{status: http.StatusUnauthorized, name: "UnauthorizedError", message: message}
}

func forbidden(name, message string) *apiError {
	return &apiError{status: http.StatusForbidden, name: name, message: message}
}

func notFound(name, message string) *apiError {
	return &apiError{status: http.StatusNotFound, name: name, message: message}
}

// somethingWentWrong is what a server says about every error it did not expect.
func somethingWentWrong(name string) *apiError {
	return &apiError{status: http.StatusInternalServerError, name: name, message: "Something went wrong"}
}

func internal() *apiError { return somethingWentWrong("InternalServerError") }

func routeNotFound(r *http.Request) *apiError {
	return &apiError{
		status: http.StatusNotFound, name: "Not Found", bare: true,
		message: fmt.Sprintf("Route %s:%s not found", r.Method, r.RequestURI),
	}
}

// missingFolder is the answer when an environment or a path does not exist; the
// two are not told apart.
func (c *call) missingFolder(operation, environment, path string) *apiError {
	if c.s.traits.oldMessages {
		return notFound(operation, "Folder not found for the given environment slug & secret path")
	}
	return notFound(strings.ReplaceAll(operation, " ", ""), fmt.Sprintf(
		"Folder with path '%s' in environment with slug '%s' not found", path, environment))
}

// conflict is the answer to a name that is taken.
func (c *call) conflict(message string) *apiError {
	err := badRequest(message)
	if c.s.traits.conflict409 {
		err.status, err.name = http.StatusConflict, "Conflict"
	}
	return err
}

// answer is the error as a response.
func (e *apiError) answer(requestID string) *answer {
	envelope := object{"statusCode": e.status, "message": e.message, "error": e.name}
	if e.details != nil {
		envelope["details"] = e.details
	}
	if !e.bare && requestID != "" {
		envelope["reqId"] = requestID
	}
	out := jsonAnswer(e.status, envelope)
	if e.retryAfter > 0 {
		out.header.Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	return out
}

// An issue is one thing that is wrong with a request's parameters.
type issue struct {
	Code     string   `json:"code"`
	Expected string   `json:"expected,omitempty"`
	Received string   `json:"received,omitempty"`
	Options  []string `json:"options,omitempty"`
	Path     []any    `json:"path"`
	Message  string   `json:"message"`
}

func (s *Server) invalid(issues []issue) *apiError {
	status := http.StatusUnprocessableEntity
	if s.traits.invalid401 {
		status = http.StatusUnauthorized
	}
	return &apiError{status: status, name: "ValidationFailure", message: issues}
}
