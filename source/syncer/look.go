package syncer

import (
	"context"
	"fmt"
	"time"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/export"
	"infisync/source/graph"
	"infisync/source/state"
)

// Export writes the secrets that a start would take, in the format asked for.
func (u Setup) Export(ctx context.Context, _ []string) error {
	opt, err := u.Options()
	if err != nil {
		return err
	}
	snapshot, err := New(opt).Start(ctx)
	if err != nil {
		return err
	}
	if snapshot.From == FromInherited {
		return source.Errorf(source.CodeNothingConfigured, "nothing is configured except what another infisync passed on: there is nothing to export")
	}
	s := u.Settings
	all := snapshot.Merged(s.EnvFileMode)
	set, err := all.Select(s.Only, s.Except)
	if err != nil {
		return err
	}
	if set.Len() == 0 && all.Len() > 0 {
		return source.Errorf(source.CodeEnvPattern, "--only and --except leave none of the %d secrets", all.Len())
	}
	format, options := u.Format("dotenv"), export.Options{Name: s.Name}
	if s.Output != "" {
		return export.WriteFile(s.Output, format, set, options)
	}
	return export.Write(u.Out, format, set, options)
}

// ExplainName tells where the variable comes from, or what the error code means.
func (u Setup) ExplainName(ctx context.Context, names []string) error {
	name, err := One(names, "the name of a variable, or an error code such as login-refused")
	if err != nil {
		return err
	}
	if entry, ok := doctor.Explain(source.Code(name)); ok {
		return entry.Write(u.Out, u.Format("text"))
	}
	opt, err := u.Options()
	if err != nil {
		return err
	}
	e, err := New(opt).Explain(ctx, name)
	if err != nil {
		return err
	}
	return e.Write(u.Out, u.Format("text"))
}

// Processes lists the running infisync processes and their children.
func (u Setup) Processes(context.Context, []string) error {
	status, err := state.ReadStatus(u.stateDir(), time.Now())
	if err != nil {
		return err
	}
	return status.WriteProcesses(u.Out, u.Format("text"))
}

// Status lists what was synced when. With --check it only judges.
func (u Setup) Status(context.Context, []string) error {
	status, err := state.ReadStatus(u.stateDir(), time.Now())
	if err != nil {
		return err
	}
	if u.Settings.CheckOnly {
		return status.Check(u.Settings.MaxAge, u.Settings.Given("max-age"))
	}
	return status.Write(u.Out, u.Format("text"))
}

// Graph queries the knowledge graphs of all scopes.
func (u Setup) Graph(context.Context, []string) error {
	s := u.Settings
	all, damaged, err := graph.Load(u.stateDir())
	if err != nil {
		return err
	}
	for _, path := range damaged {
		u.Log.Warn(fmt.Sprintf("graph %q is damaged and left out; the next sync writes it anew", path))
	}
	found, err := all.Select(graph.Query{Type: s.Type, Relation: s.Relation, Target: s.Target, Name: s.Name})
	if err != nil {
		return err
	}
	return found.Write(u.Out, u.Format("table"))
}

func (u Setup) stateDir() string { return u.Settings.StateDirectory(u.Env) }
