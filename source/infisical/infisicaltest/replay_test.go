package infisicaltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

// An exchange is a request to a real server of 2024 and what it answered. Ids,
// tokens and credentials in it are placeholders such as <PROJECT_ID>.
type exchange struct {
	Request struct {
		Method, Path string
		Query        json.RawMessage // an object in the order sent, a text, or null
		Headers      map[string]string
		Body         json.RawMessage // an object, a text that is sent as it is, or null
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    any
	}
}

// TestRecordedExchanges replays what was recorded, in its order, against the
// legacy profile. Every file in testdata/recorded must be named in
// testdata/recorded.txt, which also says what was left out and why.
func TestRecordedExchanges(t *testing.T) {
	script, err := os.ReadFile("testdata/recorded.txt")
	must(t, err)
	files, err := filepath.Glob("testdata/recorded/*.json")
	must(t, err)
	unused := make(map[string]bool)
	for _, file := range files {
		unused[strings.TrimSuffix(filepath.Base(file), ".json")] = true
	}
	r := newReplay(t)
	compared := 0
	for line := range strings.Lines(string(script)) {
		line = strings.TrimSuffix(line, "\n")
		verb, args, _ := strings.Cut(line, " ")
		if verb == "" || verb == "#" {
			continue
		}
		if !unused[verb] {
			if err := r.do(verb, args); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			continue
		}
		delete(unused, verb)
		compared++
		t.Run(verb, func(t *testing.T) { r.compare(t, verb) })
	}
	for name := range unused {
		t.Errorf("recorded/%s.json is not in recorded.txt", name)
	}
	if compared < 300 {
		t.Errorf("only %d exchanges were compared", compared)
	}
}

// A replay is a server of the legacy profile that holds what the recorded one
// held at first.
type replay struct {
	t       *testing.T
	s       *Server
	strings map[string]string // placeholder → what it stands for
	tags    map[string]string // recorded ETag → ours
}

const (
	recordedLegacyID = "5e0f3a4b-1c2d-4e5f-8a9b-0c1d2e3f4a5b"
	recordedSeedID   = "0b9c8d7e-6f5a-4b4c-9d3e-2f1a0b9c8d7e"
	recordedUser     = "recording@example.test"
)

func newReplay(t *testing.T) *replay {
	t.Helper()
	environments := []Environment{{"dev", "Development"}, {"staging", "Staging"}, {"prod", "Production"}}
	recorded := Project{ID: DefaultProjectID, Name: "contract recording", Slug: "contract-recording", Environments: environments}
	for _, slug := range []string{"names", "values", "folders", "imports", "refs", "empty", "crud", "personal", "gz"} {
		recorded.Environments = append(recorded.Environments, Environment{Slug: slug})
	}
	old := Project{ID: recordedLegacyID, Name: "first project", Slug: "first-project", TooOld: true, Environments: environments}
	upgraded := Project{ID: recordedSeedID, Name: "first project v2", Slug: "first-project-v2", Environments: environments}
	identity := func(name string) Identity { return Identity{ClientID: name, ClientSecret: name + "-secret"} }
	shortTTL, maxTTL, oneUse := identity("short-ttl"), identity("max-ttl"), identity("one-use")
	shortTTL.TTL, maxTTL.TTL, maxTTL.MaxTTL, oneUse.TokenUses = 1, 1, 2, 1
	outsider, viewer := identity("outsider"), identity("viewer")
	outsider.Projects, viewer.Role = []string{"none"}, Viewer
	s := New(t, Options{
		Profile: Legacy,
		Limits:  Limits{Read: 60, Write: 200, Secret: 40},
		Seed: &Seed{
			Projects:   []Project{recorded, old, upgraded},
			Identities: []Identity{identity("admin"), shortTTL, maxTTL, oneUse, outsider, viewer},
			Users:      []User{{ID: recordedUser}},
		},
	})
	jwt, err := s.UserToken(recordedUser)
	must(t, err)
	good, err := s.Token("admin")
	must(t, err)
	parts := strings.Split(good, ".")
	return &replay{t: t, s: s, tags: make(map[string]string), strings: map[string]string{
		"<PROJECT_ID>": DefaultProjectID, "<LEGACY_PROJECT_ID>": recordedLegacyID, "<SEED_PROJECT_ID>": recordedSeedID,
		"<USER_JWT>":  jwt,
		"<CLIENT_ID>": "admin", "<CLIENT_SECRET>": "admin-secret",
		"<CLIENT_ID:short-ttl>": "short-ttl", "<CLIENT_SECRET:short-ttl>": "short-ttl-secret",
		"<TOKEN_BAD_SIGNATURE>": parts[0] + "." + parts[1] + "." + segment([]byte("not the signature")),
		"<TOKEN_OTHER_KEY>":     parts[0] + "." + parts[1] + "." + segment((&Server{key: []byte("other")}).mac(parts[0]+"."+parts[1])),
		"<TOKEN_ALG_NONE>":      segment([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
	}}
}

// do carries out a line of the script that is not an exchange.
func (r *replay) do(verb, args string) error {
	place, rest, _ := strings.Cut(args, " ")
	name, value, _ := strings.Cut(rest, "=")
	at, err := source.ParsePlace(place)
	switch verb {
	case "left-out":
		if !strings.HasSuffix(place, ":") || rest == "" {
			return fmt.Errorf("no reason given")
		}
		return nil
	case "token":
		token, err := r.s.Token(rest)
		r.strings["<"+place+">"] = token
		return err
	case "use":
		if token, ok := r.strings["<"+args+">"]; ok {
			r.strings["<ACCESS_TOKEN>"] = token
			return nil
		}
		return r.do("token", "ACCESS_TOKEN "+args)
	case "advance":
		d, err := time.ParseDuration(args)
		r.s.Advance(d)
		return err
	case "again":
		return r.again(place, rest)
	case "request":
		return r.request(args)
	}
	if err != nil {
		return err
	}
	switch verb {
	case "set":
		return r.s.Set(at, name, value)
	case "twice":
		return r.s.Seed(Seed{Folders: []Folder{{Environment: at.Environment, Path: at.Path, Secrets: []Secret{{Name: name, Value: value}}}}})
	case "delete":
		r.s.Delete(at, name)
		return nil
	case "folder":
		return r.s.MakeFolder(at)
	case "import":
		from, err := source.ParsePlace(rest)
		if err != nil {
			return err
		}
		return r.s.Import(at, Import{Environment: from.Environment, Path: from.Path})
	}
	return fmt.Errorf("no such verb and no such file")
}

func (r *replay) again(count, name string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	e, err := readExchange(name)
	for range n {
		if err == nil {
			_, err = r.send(r.t, e)
		}
	}
	return err
}

func (r *replay) request(args string) error {
	var e exchange
	e.Request.Method, args, _ = strings.Cut(args, " ")
	path, body, _ := strings.Cut(args, " ")
	e.Request.Path, e.Request.Body = path, json.RawMessage(body)
	e.Request.Headers = map[string]string{"Authorization": "Bearer <ACCESS_TOKEN>", "Content-Type": "application/json"}
	got, err := r.send(r.t, e)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("answered %d", got.status)
	}
	return err
}

func readExchange(name string) (e exchange, err error) {
	data, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(data, &e)
}

// fill puts in what the placeholders of a text stand for.
func (r *replay) fill(text string) string {
	if long, ok := longText(text); ok {
		return long
	}
	for name, value := range r.strings {
		text = strings.ReplaceAll(text, name, value)
	}
	for recorded, ours := range r.tags {
		text = strings.ReplaceAll(text, recorded, ours)
	}
	return text
}

// longText makes the text that "<STRING len=N sha256=… head='xxx…'>" stands for.
// All long ones repeat one character.
func longText(text string) (long string, ok bool) {
	rest, ok := strings.CutPrefix(text, "<STRING len=")
	if !ok {
		return "", false
	}
	count, rest, _ := strings.Cut(rest, " ")
	_, head, _ := strings.Cut(rest, "head='")
	n, err := strconv.Atoi(count)
	if err != nil || head == "" {
		return "", false
	}
	first := string([]rune(head)[0])
	return strings.Repeat(first, n), true
}

// send makes the request of an exchange.
func (r *replay) send(t *testing.T, e exchange) (reply, error) {
	req, err := http.NewRequestWithContext(t.Context(), e.Request.Method, r.s.URL()+r.fill(e.Request.Path)+r.query(t, e.Request.Query), r.body(t, e.Request.Body))
	if err != nil {
		return reply{}, err
	}
	for name, value := range e.Request.Headers {
		if name != "Host" {
			req.Header.Set(name, r.fill(value))
		}
	}
	return roundTrip(req)
}

func (r *replay) query(t *testing.T, raw json.RawMessage) string {
	var whole string
	if len(raw) == 0 || json.Unmarshal(raw, &whole) == nil {
		if whole == "" {
			return ""
		}
		return "?" + r.fill(whole)
	}
	// Token by token, since the order of the parameters is seen in some answers.
	dec := json.NewDecoder(bytes.NewReader(raw))
	var words []string
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		must(t, err)
		if word, ok := token.(string); ok {
			words = append(words, url.QueryEscape(r.fill(word)))
		}
	}
	query := "?"
	for i := 0; i+1 < len(words); i += 2 {
		query += words[i] + "=" + words[i+1] + "&"
	}
	return strings.TrimSuffix(query, "&")
}

func (r *replay) body(t *testing.T, raw json.RawMessage) io.Reader {
	var content any
	if len(raw) > 0 {
		must(t, json.Unmarshal(raw, &content))
	}
	if text, ok := content.(string); ok {
		return strings.NewReader(r.fill(text))
	}
	if content == nil {
		return nil
	}
	data, err := json.Marshal(r.fillAll(content))
	must(t, err)
	return bytes.NewReader(data)
}

func (r *replay) fillAll(content any) any {
	switch v := content.(type) {
	case string:
		return r.fill(v)
	case []any:
		for i := range v {
			v[i] = r.fillAll(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = r.fillAll(v[key])
		}
	}
	return content
}
