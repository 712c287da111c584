package infisicaltest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"infisync/source"
)

// controlPrefix is where Options.Control offers commands to other processes.
const controlPrefix = "/__emulator/"

// A command is the JSON body of a control request: POST /__emulator/COMMAND. Each
// command reads the fields it needs.
type command struct {
	Project     string            `json:"project"` // empty: the first
	Environment string            `json:"environment"`
	Path        string            `json:"path"` // empty: "/"
	Name        string            `json:"name"`
	Value       string            `json:"value"`
	Secrets     map[string]string `json:"secrets"` // name → value, set at once

	ClientID     string `json:"clientId"` // empty: the first identity's
	ClientSecret string `json:"clientSecret"`
	Kind         Kind   `json:"kind"`
	N            int    `json:"n"`
	ID           int    `json:"id"` // a fault's; 0: all
	By           string `json:"by"` // a duration, as "1h30m"
	Required     bool   `json:"required"`
	Limits       Limits `json:"limits"`
}

func (c command) place() source.Place {
	return source.Place{Project: c.Project, Environment: c.Environment, Path: c.Path}
}

// control carries out a command of another process. The commands, with the
// fields they read:
//
//	set           project environment path name value, or secrets
//	delete        project environment path name
//	fault         those of [Fault], pace as "50ms"; answers {"id": n}
//	lift          id
//	counts        answers kind → number
//	reset-counts
//	wait          kind n; answers when so many were answered
//	revoke        clientId: ends its tokens
//	lock, unlock  clientId
//	rotate        clientId clientSecret: the secret is from now on
//	forget-etags
//	advance       by
//	limits        limits
//	approval      project environment path required
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, controlPrefix)
	status := http.StatusOK
	result, err := s.command(r.Context(), name, r)
	if err != nil {
		status, result = http.StatusBadRequest, object{"error": err.Error()}
	} else if result == nil {
		result = object{}
	}
	out := jsonAnswer(status, result)
	addHeader(w.Header(), out.header)
	w.WriteHeader(status)
	w.Write(out.body)
}

func (s *Server) command(ctx context.Context, name string, r *http.Request) (any, error) {
	if name == "fault" {
		return s.faultCommand(r)
	}
	var c command
	if err := decodeCommand(r, &c); err != nil {
		return nil, err
	}
	if c.ClientID == "" {
		c.ClientID, _ = s.Credentials()
	}
	switch name {
	case "set":
		if c.Secrets == nil {
			c.Secrets = map[string]string{c.Name: c.Value}
		}
		return nil, s.SetAll(c.place(), c.Secrets)
	case "delete":
		return object{"deleted": s.Delete(c.place(), c.Name)}, nil
	case "approval":
		return nil, s.RequireApproval(c.place(), c.Required)
	case "revoke":
		return nil, s.Revoke(c.ClientID)
	case "lock":
		return nil, s.Lock(c.ClientID)
	case "unlock":
		return nil, s.Unlock(c.ClientID)
	case "rotate":
		return nil, s.ChangeIdentity(c.ClientID, func(i *Identity) { i.ClientSecret = c.ClientSecret })
	}
	return s.serverCommand(ctx, name, c)
}

func (s *Server) faultCommand(r *http.Request) (any, error) {
	var f struct {
		Fault
		Pace string `json:"pace"` // a duration
	}
	if err := decodeCommand(r, &f); err != nil {
		return nil, err
	}
	if f.Pace != "" {
		pace, err := time.ParseDuration(f.Pace)
		if err != nil {
			return nil, fmt.Errorf("pace %q is not a duration", f.Pace)
		}
		f.Fault.Pace = pace
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return object{"id": s.addFault(f.Fault).id}, nil
}

// serverCommand carries out a command that is not about what the server holds.
func (s *Server) serverCommand(ctx context.Context, name string, c command) (any, error) {
	switch name {
	case "lift":
		return nil, s.liftByID(c.ID)
	case "counts":
		return s.Counts(), nil
	case "reset-counts":
		s.ResetCounts()
	case "wait":
		if !c.Kind.counted() && c.Kind != KindList304 && c.Kind != KindAny {
			return nil, fmt.Errorf("no kind %q of requests to wait for", string(c.Kind))
		}
		if err := s.Wait(ctx, c.Kind, c.N); err != nil {
			return nil, err
		}
		return s.Counts(), nil
	case "forget-etags":
		s.ForgetETags()
	case "limits":
		s.SetLimits(c.Limits)
	case "advance":
		by, err := time.ParseDuration(c.By)
		if err != nil {
			return nil, fmt.Errorf("by %q is not a duration", c.By)
		}
		s.Advance(by)
	default:
		return nil, fmt.Errorf("no command %q", name)
	}
	return nil, nil
}

// decodeCommand reads a body, which may be empty.
func decodeCommand(r *http.Request, to any) error {
	if r.Method == http.MethodGet || r.ContentLength == 0 {
		return nil
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return fmt.Errorf("reading the command: %w", err)
	}
	return nil
}

func (s *Server) liftByID(id int) error {
	if id == 0 {
		s.LiftFaults()
		return nil
	}
	s.mu.Lock()
	var found *fault
	for _, f := range s.faults {
		if f.id == id {
			found = f
		}
	}
	s.mu.Unlock()
	if found == nil {
		return fmt.Errorf("no fault %d", id)
	}
	s.liftFault(found)
	return nil
}
