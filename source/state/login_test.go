package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"infisync/source"
)

var clientSecret = source.NewValue(canary)

func begin(t *testing.T, dir string, secret source.Value) *Login {
	t.Helper()
	login, err := BeginLogin(t.Context(), dir, "id-1", secret)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

func end(t *testing.T, login *Login, result LoginResult) {
	t.Helper()
	if err := login.End(result); err != nil {
		t.Fatal(err)
	}
}

func withheld(t *testing.T, dir, id string, secret source.Value) bool {
	t.Helper()
	login, err := BeginLogin(t.Context(), dir, id, secret)
	if err == nil {
		end(t, login, LoginUnknown)
		return false
	}
	if source.CodeOf(err) != source.CodeLoginWithheld {
		t.Fatal(err)
	}
	if text := err.Error(); strings.Contains(text, canary) || !strings.HasPrefix(text, "login not tried: refused 2 times within 30s") {
		t.Errorf("error %q", text)
	}
	return true
}

func TestLoginsAreWithheld(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		if withheld(t, dir, "id-1", clientSecret) {
			t.Fatalf("withheld after %d refused", i)
		}
		end(t, begin(t, dir, clientSecret), LoginUnknown)
		end(t, begin(t, dir, clientSecret), LoginRefused)
	}
	if !withheld(t, dir, "id-1", clientSecret) {
		t.Error("a third login is tried")
	}
	for _, other := range []struct {
		id     string
		secret source.Value
	}{{"id-1", source.NewValue(canary + "x")}, {"id-2", clientSecret}} {
		if withheld(t, dir, other.id, other.secret) {
			t.Error("what was corrected is not tried at once")
		}
	}
}

func TestAcceptedLoginCountsAnew(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		end(t, begin(t, dir, clientSecret), LoginRefused)
		end(t, begin(t, dir, clientSecret), LoginAccepted)
	}
	end(t, begin(t, dir, clientSecret), LoginRefused)
	end(t, begin(t, dir, clientSecret), LoginRefused)
	if !withheld(t, dir, "id-1", clientSecret) {
		t.Error("not withheld")
	}
}

// When the server has forgotten, so has infisync; a clock that was set back
// withholds nothing for hours.
func TestRefusedLoginsAreForgotten(t *testing.T) {
	for _, at := range []time.Time{time.Now().Add(-refusedAfter), time.Now().Add(time.Hour)} {
		dir := t.TempDir()
		login := begin(t, dir, clientSecret)
		end(t, login, LoginRefused)
		if err := login.write(loginRecord{Refused: 2, At: at}); err != nil {
			t.Fatal(err)
		}
		end(t, begin(t, dir, clientSecret), LoginRefused)
		if withheld(t, dir, "id-1", clientSecret) {
			t.Errorf("withheld for what was refused at %v", at)
		}
		end(t, begin(t, dir, clientSecret), LoginRefused)
		if !withheld(t, dir, "id-1", clientSecret) {
			t.Error("two new ones do not count")
		}
	}
}

// A hundred starts at once with a wrong secret make two refused logins.
func TestSimultaneousLogins(t *testing.T) {
	dir := t.TempDir()
	var tried atomic.Int32
	var starts sync.WaitGroup
	for range 100 {
		starts.Go(func() {
			login, err := BeginLogin(t.Context(), dir, "id-1", clientSecret)
			if err != nil {
				if source.CodeOf(err) != source.CodeLoginWithheld {
					t.Error(err)
				}
				return
			}
			tried.Add(1)
			// However the machine spreads the 100, one meets another that tries.
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := BeginLogin(ctx, dir, "id-1", clientSecret); source.CodeOf(err) != source.CodeTimeout {
				t.Errorf("beside one that tries: %v", err)
			}
			if err := login.End(LoginRefused); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	if tried.Load() != 2 {
		t.Errorf("%d logins were tried, want 2", tried.Load())
	}
}

// Once accepted, logins do not wait for each other; before, they do.
func TestLoginsWaitForTheFirst(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, dir, clientSecret)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if _, err := BeginLogin(ctx, dir, "id-1", clientSecret); source.CodeOf(err) != source.CodeTimeout || !errors.Is(err, why) {
		t.Errorf("while another tries: %v", err)
	}
	end(t, first, LoginAccepted)
	second := begin(t, dir, clientSecret)
	third := begin(t, dir, clientSecret)
	end(t, third, LoginRefused)
	end(t, second, LoginRefused)
	if !withheld(t, dir, "id-1", clientSecret) {
		t.Error("what ended beside others was not counted")
	}
}

func TestLoginsRememberNoSecret(t *testing.T) {
	dir := t.TempDir()
	end(t, begin(t, dir, clientSecret), LoginRefused)
	files, err := os.ReadDir(filepath.Join(dir, registerDir))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, registerDir, file.Name()))
		if err != nil || strings.Contains(string(data)+file.Name(), canary) || strings.Contains(string(data)+file.Name(), "id-1") {
			t.Errorf("%s holds %q, %v", file.Name(), data, err)
		}
		if info, err := file.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

// One that cannot be used does not keep from logging in.
func TestLoginsWithoutStateDirectory(t *testing.T) {
	for range 3 {
		end(t, begin(t, "", clientSecret), LoginRefused)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := begin(t, file, clientSecret).End(LoginRefused); source.CodeOf(err) != source.CodeStateDir {
			t.Errorf("a file for a state directory: %v", err)
		}
	}
}

func TestUnreadableLoginRecord(t *testing.T) {
	dir := t.TempDir()
	login := begin(t, dir, clientSecret)
	end(t, login, LoginUnknown)
	if err := os.Remove(login.path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(login.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := begin(t, dir, clientSecret).End(LoginRefused); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("a folder for a record: %v", err)
	}
}

func TestDamagedLoginRecordIsForgotten(t *testing.T) {
	dir := t.TempDir()
	login := begin(t, dir, clientSecret)
	end(t, login, LoginRefused)
	if err := os.WriteFile(login.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	end(t, begin(t, dir, clientSecret), LoginRefused)
	if withheld(t, dir, "id-1", clientSecret) {
		t.Error("withheld")
	}
}
