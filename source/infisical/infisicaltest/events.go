package infisicaltest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The kinds of events that can be subscribed to.
const (
	secretCreated  = "secret:create"
	secretUpdated  = "secret:update"
	secretDeleted  = "secret:delete"
	importsChanged = "secret:import-mutation"
)

const (
	pingEvery       = 15 * time.Second
	maxRegistration = 10
	unsentFrames    = 64 // of one stream; what is more is dropped
)

// A stream is one subscription to events.
type stream struct {
	project string
	wanted  []registration
	frames  chan string
	cut     chan struct{} // closed: end the connection
}

// A registration is one kind of event that a stream wants. An empty environment
// stands for all of them.
type registration struct {
	event, environment, path string
}

// subscribe opens a stream of events.
func (c *call) subscribe() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	st := &stream{project: f.text("projectId"), frames: make(chan string, unsentFrames), cut: make(chan struct{})}
	for _, entry := range f.items("register") {
		r := registration{event: entry.oneOf("event", secretCreated, secretUpdated, secretDeleted, importsChanged)}
		if entry.has("conditions") {
			conditions := entry.object("conditions")
			r.environment, r.path = conditions.text("environmentSlug"), cleanPath(conditions.textOr("secretPath", "/"))
		}
		st.wanted = append(st.wanted, r)
	}
	if len(st.wanted) > maxRegistration {
		f.reject("register", fmt.Sprintf("Array must contain at most %d element(s)", maxRegistration))
	}
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	p, err := c.enter(st.project)
	if err != nil {
		return nil, err
	}
	for _, r := range st.wanted {
		if !c.mayHear(p, r) {
			return nil, c.denied("subscribe", "secret-events")
		}
	}
	if c.s.eventsOff {
		return nil, badRequest("Failed to subscribe: event subscriptions are not available on your current plan")
	}
	c.s.streams[st] = true
	return &answer{status: http.StatusOK, header: make(http.Header), stream: st}, nil
}

// mayHear tells whether the actor may read what an event is about.
func (c *call) mayHear(p *project, r registration) bool {
	for _, env := range p.environments {
		if r.environment != "" && r.environment != env.slug {
			continue
		}
		at := p.folder(env.slug, r.path)
		if at == nil {
			at = env.root
		}
		if c.level(at) >= seesValues {
			return true
		}
	}
	return false
}

// stream sends events until one side has enough. It counts as answered from its
// beginning.
func (s *Server) stream(c *call, out *answer, w http.ResponseWriter) {
	st := out.stream
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, st)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Accel-Buffering", "no")
	c.answered(out.status)
	w.WriteHeader(out.status)
	flush := http.NewResponseController(w).Flush
	flush()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		frame := "event: ping\ndata:\n\n"
		select {
		case frame = <-st.frames:
		case <-ping.C:
		case <-st.cut:
			panic(http.ErrAbortHandler)
		case <-s.closed:
			return
		case <-c.req.Context().Done():
			return
		}
		if _, err := w.Write([]byte(frame)); err != nil {
			return
		}
		flush()
	}
}

// publish tells the streams what happened. The caller holds s.mu.
func (s *Server) publish(kind string, f *folder, name string) {
	if len(s.streams) == 0 {
		return
	}
	about := object{"environment": f.env.slug, "secretPath": f.path()}
	var payload any = about
	if kind != importsChanged {
		key := "secretKey"
		if s.traits.oldFlags {
			key = "secretKeys"
		}
		about[key] = name
		payload = []object{about}
	}
	data, err := json.Marshal(object{
		"projectType": "secret-manager", "data": object{"eventType": kind, "payload": payload},
	})
	if err != nil {
		panic("infisicaltest: an event always marshals: " + err.Error())
	}
	frame := fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", s.now().UnixMilli(), kind, data)
	for st := range s.streams {
		if st.wants(kind, f) {
			st.send(frame)
		}
	}
}

// wants tells whether a stream asked for an event. Paths match by their beginning.
func (st *stream) wants(kind string, f *folder) bool {
	for _, r := range st.wanted {
		if r.event == kind && st.project == f.env.project.ID &&
			(r.environment == "" || r.environment == f.env.slug && strings.HasPrefix(f.path(), r.path)) {
			return true
		}
	}
	return false
}

func (st *stream) send(frame string) {
	select {
	case st.frames <- frame:
	default: // nobody reads: events are dropped, not kept
	}
}

// Ping sends a ping to all streams of events at once; by itself the server sends
// one each 15 s.
func (s *Server) Ping() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range s.streams {
		st.send("event: ping\ndata:\n\n")
	}
}

// CutStreams cuts the connections of all streams of events and tells how many
// there were.
func (s *Server) CutStreams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.streams)
	for st := range s.streams {
		delete(s.streams, st)
		close(st.cut)
	}
	return n
}

// SetEvents tells whether events are part of the server's plan, which they are at
// the start. Without them a subscription gets 400.
func (s *Server) SetEvents(available bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eventsOff = !available
}
