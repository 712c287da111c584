package infisical

import (
	"context"
	"encoding/json"
	"net/http"

	"infisync/source"
)

// What one batch should not exceed; the server refuses a body of 1 MiB with an
// error that does not say why.
const (
	MaxBatch      = 100       // secrets
	maxBatchBytes = 768 << 10 // 768 KiB of JSON, leaving room for what is around the items
)

// Chunks divides items, in their order, into batches that the server takes. An
// item too large for any batch is alone in one.
func Chunks(items []Item) [][]Item {
	var chunks [][]Item
	begin, size := 0, 0
	for i, item := range items {
		// Between the names of the fields and the quotes there is less than this.
		const around = 64
		bytes := jsonLen(item.Name) + jsonLen(item.Value.Reveal()) + around
		if i > begin && (i-begin == MaxBatch || size+bytes > maxBatchBytes) {
			chunks = append(chunks, items[begin:i:i])
			begin, size = i, 0
		}
		size += bytes
	}
	if begin < len(items) {
		chunks = append(chunks, items[begin:])
	}
	return chunks
}

func jsonLen(s string) int {
	text, err := json.Marshal(s)
	if err != nil {
		panic("infisical: a string always marshals: " + err.Error())
	}
	return len(text)
}

// A Mode says what an update does with a secret that is not there.
type Mode string

// The modes. Servers without v4 may know none but FailOnMissing, and then take
// any other for it: secret-not-found says so.
const (
	FailOnMissing Mode = "failOnNotFound" // nothing is written
	Upsert        Mode = "upsert"         // it is created; needs the permission for both
)

// CreateAll creates all items or, when one of the names is taken, none. See Create
// for the errors, and [Chunks] for how many items one call takes.
func (s *Session) CreateAll(ctx context.Context, place source.Place, items []Item) (Result, error) {
	w := newBatch(http.MethodPost, "creating", place, items)
	if err := w.checkNames(); err != nil {
		return Result{}, err
	}
	return s.batch(ctx, w, true)
}

// UpdateAll gives all items their values, or none. See Update for the errors, and
// [Chunks] for how many items one call takes.
func (s *Session) UpdateAll(ctx context.Context, place source.Place, items []Item, mode Mode) (Result, error) {
	w := newBatch(http.MethodPatch, "updating", place, items)
	if mode == Upsert {
		if err := w.checkNames(); err != nil {
			return Result{}, err
		}
	}
	w.body["mode"] = string(mode)
	return s.batch(ctx, w, true)
}

// DeleteAll deletes all of the names, at most MaxBatch, or, when one of them is not
// there, none.
func (s *Session) DeleteAll(ctx context.Context, place source.Place, names []string) (Result, error) {
	items := make([]Item, len(names))
	for i, name := range names {
		items[i].Name = name
	}
	return s.batch(ctx, newBatch(http.MethodDelete, "deleting", place, items), false)
}

func newBatch(method, verb string, place source.Place, items []Item) *write {
	w := newWrite(method, verb, place, items...)
	w.batch = true
	delete(w.body, "type")
	return w
}

// batch sends the write of all its items, each with its value if withValues.
func (s *Session) batch(ctx context.Context, w *write, withValues bool) (Result, error) {
	if len(w.items) == 0 {
		return Result{}, nil
	}
	seen := make(map[string]bool, len(w.items))
	rows := make([]map[string]string, len(w.items))
	for i, item := range w.items {
		if seen[item.Name] { // the server counts rows, and would miscount
			return Result{}, source.Errorf(source.CodeRequestRefused, "%s: %q is there twice", w.doing, item.Name)
		}
		seen[item.Name] = true
		rows[i] = map[string]string{"secretKey": item.Name}
		if withValues {
			rows[i]["secretValue"] = item.Value.Reveal()
		} else {
			rows[i]["type"] = "shared"
		}
	}
	w.body["secrets"] = rows
	return s.write(ctx, w, version.batch)
}

func (v version) batch() string {
	if v == v3 {
		return "/v3/secrets/batch/raw"
	}
	return "/v4/secrets/batch"
}
