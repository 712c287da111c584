package syncer

import (
	"slices"

	"infisync/source"
)

// A Layer is the part of a Snapshot that one kind of holder gives.
type Layer struct {
	Kind Kind
	Set  source.Set
}

// Layers are what a child gets, the lowest first: a later one wins. Mode is that
// of the .env files.
func (s Snapshot) Layers(mode string) []Layer {
	local, server, dotenv := Layer{KindLocal, s.Local}, Layer{KindServer, s.Secrets}, Layer{KindDotenv, s.Dotenv}
	switch {
	case s.From == FromInherited:
		return nil
	case s.From == FromDotenv:
		return []Layer{local, dotenv}
	case mode == "base":
		return []Layer{local, dotenv, server}
	case mode == "override":
		return []Layer{local, server, dotenv}
	}
	return []Layer{local, server}
}

// Merged is all that a child would get, before names are judged.
func (s Snapshot) Merged(mode string) source.Set {
	var secrets []source.Secret
	for _, layer := range s.Layers(mode) {
		secrets = slices.AppendSeq(secrets, layer.Set.All())
	}
	return source.NewSet(secrets...)
}
