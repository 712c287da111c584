package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"infisync/source"
)

// A payload is written by hand, byte for byte as the library would, and read by hand
// where it is as it was written; see source/json.go.

// write returns the payload as JSON.
func (p payload) write() ([]byte, error) {
	w := writer{text: make([]byte, 0, 512+512*len(p.Secrets))}
	w.add(`{"format":` + strconv.Itoa(p.Format) + `,"scope":`)
	w.addScope(p.Scope)
	w.addTime(`,"pulled":`, p.Pulled)
	w.add(`,"secrets":[`)
	for i, r := range p.Secrets {
		if i > 0 {
			w.add(",")
		}
		w.addSecret(r)
	}
	w.add("]")
	if len(p.Previous) > 0 {
		w.addList(`,"previous":`, p.Previous)
	}
	if len(p.Orphans) > 0 {
		w.addList(`,"orphans":`, p.Orphans)
	}
	if len(p.Local) > 0 {
		w.addList(`,"local":`, p.Local)
	}
	if len(p.Deleted) > 0 {
		w.addList(`,"deleted":`, p.Deleted)
	}
	w.add("}")
	return w.text, w.err
}

// A writer appends to a JSON text, and keeps the first error.
type writer struct {
	text []byte
	err  error
}

func (w *writer) add(part string) { w.text = append(w.text, part...) }

func (w *writer) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) addText(key string, t text) {
	w.add(key)
	text, err := t.append(w.text)
	w.note(err)
	w.text = text
}

func (w *writer) addBool(key string, is bool) {
	w.text = strconv.AppendBool(append(w.text, key...), is)
}

// addTime adds a time unless it is zero.
func (w *writer) addTime(key string, at time.Time) {
	if at.IsZero() {
		return
	}
	text, err := at.AppendText(append(append(w.text, key...), '"'))
	w.note(err)
	w.text = append(text, '"')
}

func (w *writer) addList(key string, list any) {
	text, err := json.Marshal(list)
	w.note(err)
	w.text = append(append(w.text, key...), text...)
}

func (w *writer) addScope(r scopeRecord) {
	w.addText(`{"url":`, r.URL)
	w.addText(`,"method":`, r.Method)
	w.addText(`,"identity":`, r.Identity)
	w.addPlaces(`,"places":`, r.Places)
	w.addBool(`,"recursive":`, r.Recursive)
	w.addBool(`,"imports":`, r.Imports)
	w.addBool(`,"expand":`, r.Expand)
	w.add("}")
}

func (w *writer) addPlaces(key string, places []placeRecord) {
	w.add(key)
	if places == nil {
		w.add("null")
		return
	}
	w.add("[")
	for i, place := range places {
		if i > 0 {
			w.add(",")
		}
		w.addPlace("", place)
	}
	w.add("]")
}

func (w *writer) addPlace(key string, r placeRecord) {
	w.addText(key+`{"project":`, r.Project)
	w.addText(`,"environment":`, r.Environment)
	w.addText(`,"path":`, r.Path)
	w.add("}")
}

func (w *writer) addSecret(r secretRecord) {
	w.addText(`{"name":`, r.Name)
	w.addText(`,"value":`, r.Value)
	w.addPlace(`,"place":`, r.Place)
	if r.Version != 0 {
		w.add(`,"version":` + strconv.Itoa(r.Version))
	}
	w.addTime(`,"updated":`, r.Updated)
	if r.Imported {
		w.addBool(`,"imported":`, true)
	}
	if len(r.Hides) > 0 {
		w.addPlaces(`,"hides":`, r.Hides)
	}
	w.addTime(`,"synced":`, r.Synced)
	w.add("}")
}

// readPayload reads what write has written, and returns false for anything else, which
// may be a payload all the same.
func readPayload(data []byte) (p payload, usual bool) {
	r := reader{JSONReader: source.JSONReader{Rest: data}}
	r.Skip(`{"format":`)
	p.Format = r.Int()
	r.Skip(`,"scope":`)
	p.Scope = r.scope()
	if r.Try(`,"pulled":`) {
		p.Pulled = r.Time()
	}
	p.Secrets = []secretRecord{}
	r.Skip(`,"secrets":[`)
	for r.OK() && !r.Try("]") {
		if len(p.Secrets) > 0 {
			r.Skip(",")
		}
		p.Secrets = append(p.Secrets, r.secret())
	}
	if r.Try("}") {
		return p, r.Done()
	}
	r.Skip(",")
	if !r.OK() || !bytes.HasPrefix(r.Rest, []byte{'"'}) { // "}" would end an object without the comma
		return payload{}, false
	}
	var lists struct {
		Previous []previousRecord `json:"previous"`
		Orphans  []orphanRecord   `json:"orphans"`
		Local    []localRecord    `json:"local"`
		Deleted  []deletedRecord  `json:"deleted"`
	}
	if strictly(append([]byte("{"), r.Rest...), &lists) != nil {
		return payload{}, false
	}
	p.Previous, p.Orphans, p.Local, p.Deleted = lists.Previous, lists.Orphans, lists.Local, lists.Deleted
	return p, true
}

// A reader reads the parts of a payload.
type reader struct {
	source.JSONReader

	place placeRecord // the last one
	asIs  []byte      // its text: most secrets are in the same place
}

func (r *reader) text() text {
	if !r.Try(`{"base64":`) {
		return text(r.Text())
	}
	data, err := base64.StdEncoding.DecodeString(r.Text())
	if err != nil {
		r.Fail()
	}
	r.Skip("}")
	return text(data)
}

func (r *reader) scope() (s scopeRecord) {
	r.Skip(`{"url":`)
	s.URL = r.text()
	r.Skip(`,"method":`)
	s.Method = r.text()
	r.Skip(`,"identity":`)
	s.Identity = r.text()
	r.Skip(`,"places":`)
	s.Places = r.places()
	r.Skip(`,"recursive":`)
	s.Recursive = r.Bool()
	r.Skip(`,"imports":`)
	s.Imports = r.Bool()
	r.Skip(`,"expand":`)
	s.Expand = r.Bool()
	r.Skip("}")
	return s
}

func (r *reader) places() (places []placeRecord) {
	if r.Try("null") {
		return nil
	}
	r.Skip("[")
	for r.OK() && !r.Try("]") {
		if len(places) > 0 {
			r.Skip(",")
		}
		places = append(places, r.readPlace())
	}
	return places
}

func (r *reader) readPlace() (p placeRecord) {
	if len(r.asIs) > 0 && r.OK() && bytes.HasPrefix(r.Rest, r.asIs) {
		r.Rest = r.Rest[len(r.asIs):]
		return r.place
	}
	before := r.Rest
	r.Skip(`{"project":`)
	p.Project = r.text()
	r.Skip(`,"environment":`)
	p.Environment = r.text()
	r.Skip(`,"path":`)
	p.Path = r.text()
	r.Skip("}")
	if r.OK() {
		r.place, r.asIs = p, before[:len(before)-len(r.Rest)]
	}
	return p
}

func (r *reader) secret() (s secretRecord) {
	r.Skip(`{"name":`)
	s.Name = r.text()
	r.Skip(`,"value":`)
	s.Value = r.text()
	r.Skip(`,"place":`)
	s.Place = r.readPlace()
	if r.Try(`,"version":`) {
		s.Version = r.Int()
	}
	if r.Try(`,"updated":`) {
		s.Updated = r.Time()
	}
	if r.Try(`,"imported":`) {
		s.Imported = r.Bool()
	}
	if r.Try(`,"hides":`) {
		s.Hides = r.places()
	}
	if r.Try(`,"synced":`) {
		s.Synced = r.Time()
	}
	r.Skip("}")
	return s
}
