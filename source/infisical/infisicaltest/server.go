package infisicaltest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options are how a server is started. The zero Options are a server of today on
// a free port of the loopback interface that holds [DefaultSeed].
type Options struct {
	Profile Profile
	Listen  string // host:port; empty: 127.0.0.1 and a free port
	Seed    *Seed  // nil: DefaultSeed
	Limits  Limits
	Control bool      // offer the commands under /__emulator/, to whoever can connect
	Log     io.Writer // gets one line per answered request; nil: none

	TLS           bool      // serve https with a certificate by a CA of its own, see [Server.CA]
	CertHosts     []string  // what the certificate is for; empty: localhost and the loopback addresses
	CertExpiresAt time.Time // zero: in a day
}

// Limits are how many requests of a category one client address may make of one
// route in 60 s. 0: unlimited, and no rate headers.
type Limits struct {
	Read   int `json:"read,omitempty"`   // projects, folders, imports
	Write  int `json:"write,omitempty"`  // login, renewal, revocation
	Secret int `json:"secret,omitempty"` // everything about secrets
}

// A Server is a running emulator. It is safe for concurrent use.
type Server struct {
	traits traits
	opts   Options
	routes []route
	key    []byte // signs the tokens
	ca     []byte // PEM
	tls    *tls.Config

	address string        // set once, by the first Up
	closed  chan struct{} // ends what hangs
	close   sync.Once

	upDown   sync.Mutex // guards the next two
	listener net.Listener
	http     *http.Server

	log requestLog

	mu            sync.Mutex // guards all below and the trees they hold
	offset        time.Duration
	ids           int
	projects      []*project
	identities    []*account
	users         []User
	serviceTokens []ServiceToken
	tokens        map[string]*token // id → token
	buckets       map[bucket]*window
	known         map[string]bool // ETags the server remembers
	faults        []*fault
	faultIDs      int
	streams       map[*stream]bool
	eventsOff     bool
}

// Start starts a server. The caller closes it.
func Start(opts Options) (*Server, error) {
	traits, err := opts.Profile.traits()
	if err != nil {
		return nil, err
	}
	s := &Server{
		traits: traits, opts: opts, key: make([]byte, 32), closed: make(chan struct{}),
		tokens: make(map[string]*token), buckets: make(map[bucket]*window), known: make(map[string]bool),
		streams: make(map[*stream]bool),
	}
	rand.Read(s.key)
	s.log.init(opts.Log)
	s.routes = s.makeRoutes()
	seed := DefaultSeed()
	if opts.Seed != nil {
		seed = *opts.Seed
	}
	if err := s.Seed(seed); err != nil {
		return nil, err
	}
	if opts.TLS {
		if err := s.makeCertificate(); err != nil {
			return nil, fmt.Errorf("making a certificate: %w", err)
		}
	}
	s.address = opts.Listen
	if s.address == "" {
		s.address = "127.0.0.1:0"
	}
	if err := s.Up(); err != nil {
		return nil, err
	}
	return s, nil
}

// A TB is what [New] needs of a *testing.T.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// New starts a server for one test, which ends with it.
func New(tb TB, opts Options) *Server {
	tb.Helper()
	s, err := Start(opts)
	if err != nil {
		tb.Fatalf("starting the emulator: %v", err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// URL is the server's base, without /api and without a slash at its end. It
// stays the same through Down and Up.
func (s *Server) URL() string {
	if s.tls != nil {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// Host is the host and port of the URL.
func (s *Server) Host() string { return s.address }

// Project is the id of the first project.
func (s *Server) Project() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firstProject()
}

// Environment is the slug of the first project's first environment.
func (s *Server) Environment() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.projects) == 0 || len(s.projects[0].environments) == 0 {
		return ""
	}
	return s.projects[0].environments[0].slug
}

// Credentials are the client id and secret of the first identity.
func (s *Server) Credentials() (clientID, clientSecret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.identities) == 0 {
		return "", ""
	}
	return s.identities[0].ClientID, s.identities[0].ClientSecret
}

// Handler is the server without its network, for requests that need none.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Up makes the server listen at its address, after Down.
func (s *Server) Up() error {
	s.upDown.Lock()
	defer s.upDown.Unlock()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	if actual := listener.Addr().String(); s.address != actual {
		s.address = actual
	}
	s.listener = listener
	if s.tls != nil {
		listener = tls.NewListener(listener, s.tls)
	}
	s.http = &http.Server{
		Handler:   s.Handler(),
		ConnState: s.log.connection,
		// Above the API's own limit, whose answer is the handler's.
		MaxHeaderBytes:    4 * maxHeaderBytes,
		ReadHeaderTimeout: time.Minute,
		// Connections that tests cut or refuse are no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go s.http.Serve(listener)
	return nil
}

// Down closes the port and all connections: the next client is refused. What the
// server holds is kept for the next Up.
func (s *Server) Down() error {
	s.upDown.Lock()
	defer s.upDown.Unlock()
	err := s.http.Close()
	// The port must be free when Down returns, also before Serve has begun.
	if closing := s.listener.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}

// Close ends the server, and with it what hangs.
func (s *Server) Close() error {
	s.close.Do(func() { close(s.closed) })
	return s.Down()
}

// Advance moves the server's clock forward; a negative d moves it back. Tokens,
// locks, rate limits and the Date header follow it.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// Now is the server's clock, in UTC.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() time.Time { return time.Now().Add(s.offset).UTC() }
