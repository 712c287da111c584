package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

const (
	// loginsDir is the folder in the state directory with a record per identity
	// and secret.
	loginsDir = "logins"

	// The server locks an identity, for everyone who uses it, at the third
	// refused login, and forgets refused ones after 30 s.
	maxRefused   = 2
	refusedAfter = 30 * time.Second

	// endWait bounds how long End waits for a login that began after its own.
	endWait = 10 * time.Second

	// keepLogin is how long a record is kept that nobody writes. The JWTs of a pod are
	// replaced every hour, and each has a record of its own.
	keepLogin = 24 * time.Hour
)

// A LoginResult is how a login ended.
type LoginResult int

const (
	LoginUnknown  LoginResult = iota // no answer, or one that does not judge the credentials
	LoginAccepted                    // a token was given
	LoginRefused                     // id or secret are wrong
)

// A loginRecord is what is remembered of an identity and secret.
type loginRecord struct {
	Refused int       `json:"refused"` // logins refused since one was accepted; 0: At is when that was
	At      time.Time `json:"at"`      // UTC: the last that was accepted or refused
}

// fresh tells whether the server still counts what the record says.
func (r loginRecord) fresh() bool {
	since := time.Since(r.At)
	return since >= 0 && since < refusedAfter // negative: the clock was set back
}

// A Login may be tried now. Its End must be called, once.
type Login struct {
	path   string // of the record; empty: nothing is remembered
	err    error  // why nothing is remembered; nil when nothing is to be
	unlock func() // nil: others need not wait for this login
}

// BeginLogin asks whether a login with that id and secret may be tried. Of all
// processes that share the state directory, those with the same id and secret
// try one after the other, until one is accepted. After two that were refused
// within 30 s the error has source.CodeLoginWithheld, since a third would lock
// the identity for everyone who uses it. With another secret the count is anew.
//
// BeginLogin blocks while another process tries, no longer than ctx; the error
// then has source.CodeTimeout and wraps ctx's cause. A state directory that
// cannot be used is no reason not to log in: End then says so. An empty stateDir
// remembers nothing and never blocks. Only a hash of id and secret is stored.
func BeginLogin(ctx context.Context, stateDir, id string, secret source.Value) (*Login, error) {
	if stateDir == "" {
		return &Login{}, nil
	}
	sum := sha256.Sum256([]byte(id + "\x00" + secret.Reveal()))
	login := &Login{path: filepath.Join(stateDir, loginsDir, hex.EncodeToString(sum[:])+".json")}
	unlock, err := login.lock(ctx)
	if source.CodeOf(err) == source.CodeTimeout {
		return nil, err
	}
	if err != nil {
		return &Login{err: err}, nil
	}
	record, err := login.read()
	if err != nil {
		unlock()
		return &Login{err: err}, nil
	}
	if record.fresh() && record.Refused >= maxRefused {
		unlock()
		return nil, source.Errorf(source.CodeLoginWithheld,
			"login not tried: refused %d times within %s, once more would lock the identity; possible again in %s",
			record.Refused, refusedAfter, time.Until(record.At.Add(refusedAfter)).Round(time.Second))
	}
	if record.fresh() && record.Refused == 0 {
		unlock()
	} else {
		login.unlock = unlock
	}
	return login, nil
}

// End remembers how the login ended and lets the next one begin. Errors have
// source.CodeStateDir.
func (l *Login) End(result LoginResult) error {
	if l.path == "" || l.unlock == nil && result != LoginRefused {
		return l.err
	}
	if l.unlock == nil {
		ctx, cancel := context.WithTimeout(context.Background(), endWait)
		defer cancel()
		unlock, err := l.lock(ctx)
		if err != nil {
			return err
		}
		l.unlock = unlock
	}
	defer l.unlock()
	record, err := l.read()
	if err != nil {
		return err
	}
	switch {
	case result == LoginUnknown:
		return nil
	case result == LoginAccepted:
		record.Refused = 0
	case record.fresh():
		record.Refused++
	default:
		record.Refused = 1
	}
	record.At = time.Now().UTC()
	data, err := json.Marshal(record)
	if err == nil {
		err = putUnsynced(l.path, data)
	}
	if err != nil {
		return source.Errorf(source.CodeStateDir, "remembering a login: %w", err)
	}
	return nil
}

func (l *Login) lock(ctx context.Context) (func(), error) {
	unlock, err := disk.Lock(ctx, l.path+".lock")
	switch {
	case err == nil:
		return unlock, nil
	case ctx.Err() != nil:
		return nil, source.Errorf(source.CodeTimeout, "waiting for another process's login: %w", context.Cause(ctx))
	default:
		return nil, source.Errorf(source.CodeStateDir, "remembering a login: %w", err)
	}
}

// read returns the record; one that is missing or damaged says nothing.
func (l *Login) read() (loginRecord, error) {
	data, err := os.ReadFile(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return loginRecord{}, nil
	}
	if err != nil {
		return loginRecord{}, source.Errorf(source.CodeStateDir, "remembering a login: %w", err)
	}
	var record loginRecord
	if json.Unmarshal(data, &record) != nil {
		return loginRecord{}, nil
	}
	return record, nil
}

// sweepLogins removes the records, with their locks, that nobody wrote for a day.
func sweepLogins(ctx context.Context, stateDir string, now time.Time) error {
	dir := filepath.Join(stateDir, loginsDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed error
	for _, file := range files {
		name, isLock := strings.CutSuffix(file.Name(), ".lock")
		login := &Login{path: filepath.Join(dir, name)}
		if !isLock || !login.old(now) {
			continue
		}
		unlock, err := login.lock(ctx)
		if err != nil {
			continue // somebody logs in after all
		}
		if login.old(now) {
			if err := os.Remove(login.path); !errors.Is(err, fs.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
			os.Remove(login.path + ".new") // of a process that was killed
			failed = errors.Join(failed, os.Remove(login.path+".lock"))
		}
		unlock()
	}
	return failed
}

// old tells whether neither record nor lock was written for keepLogin before now.
func (l *Login) old(now time.Time) bool {
	for _, path := range []string{l.path, l.path + ".lock"} {
		info, err := os.Stat(path)
		if err == nil && now.Sub(info.ModTime()) <= keepLogin || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
