package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

const (
	// loginSuffix ends the names of the records, one per identity and secret. They are
	// in the register's folder: a folder of their own would cost a start one more.
	loginSuffix = ".login"

	// A record is in the file that is locked to read and change it, since each
	// file that is made costs a start more than all that is in it: as the number of
	// refused logins and the time, behind the byte that windows locks, and with
	// blanks to a length that leaves nothing of an older one, however long.
	recordAt, recordSize = 1, 64

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
	Refused int       // logins refused since one was accepted; 0: At is when that was
	At      time.Time // UTC: the last that was accepted or refused
}

// fresh tells whether the server still counts what the record says.
func (r loginRecord) fresh() bool {
	since := time.Since(r.At)
	return since >= 0 && since < refusedAfter // negative: the clock was set back
}

// accepted tells whether a login was accepted just now, and none refused since.
func (r loginRecord) accepted() bool { return r.fresh() && r.Refused == 0 }

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
	login := &Login{path: filepath.Join(stateDir, registerDir, hex.EncodeToString(sum[:])+loginSuffix)}
	// Nearly always the last one was accepted just now, and nobody need wait for anybody.
	if record, err := login.read(); err == nil && record.accepted() {
		return login, nil
	}
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
	if record.accepted() {
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
	if err := l.write(record); err != nil {
		return source.Errorf(source.CodeStateDir, "remembering a login: %w", err)
	}
	return nil
}

func (l *Login) lock(ctx context.Context) (func(), error) {
	unlock, err := disk.Lock(ctx, l.path)
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
	file, err := os.Open(l.path)
	if err != nil {
		return loginRecord{}, source.Errorf(source.CodeStateDir, "remembering a login: %w", err)
	}
	defer file.Close()
	text := make([]byte, recordSize)
	n, err := file.ReadAt(text, recordAt)
	if err != nil && err != io.EOF {
		return loginRecord{}, source.Errorf(source.CodeStateDir, "remembering a login: %w", err)
	}
	refused, at, _ := strings.Cut(strings.TrimRight(string(text[:n]), " \n"), " ")
	var record loginRecord
	record.Refused, err = strconv.Atoi(refused)
	if err == nil {
		record.At, err = time.Parse(time.RFC3339Nano, at)
	}
	if err != nil {
		return loginRecord{}, nil
	}
	return record, nil
}

// write replaces the record at once: who is killed in it leaves the one before. It is
// not synced: which logins the server still counts means nothing once the machine has
// gone down.
func (l *Login) write(record loginRecord) error {
	file, err := os.OpenFile(l.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(record.text(), recordAt)
	return errors.Join(err, file.Close())
}

func (r loginRecord) text() []byte {
	return fmt.Appendf(nil, "%-*s\n", recordSize-1, fmt.Sprintf("%d %s", r.Refused, r.At.Format(time.RFC3339Nano)))
}

// sweepLogins removes the records that nobody wrote for a day.
func sweepLogins(ctx context.Context, stateDir string, now time.Time) error {
	dir := filepath.Join(stateDir, registerDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed error
	for _, file := range files {
		login := &Login{path: filepath.Join(dir, file.Name())}
		if !strings.HasSuffix(file.Name(), loginSuffix) || !login.old(now) {
			continue
		}
		unlock, err := login.lock(ctx)
		if err != nil {
			continue // somebody logs in after all
		}
		if login.old(now) {
			failed = errors.Join(failed, os.Remove(login.path))
		}
		unlock()
	}
	return failed
}

// old tells whether the record was not written for keepLogin before now.
func (l *Login) old(now time.Time) bool {
	info, err := os.Stat(l.path)
	return err == nil && now.Sub(info.ModTime()) > keepLogin
}
