package infisical

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"infisync/source"
)

// CreateFolder makes the place's folder and those above it that are missing. A
// folder that is there already is no error.
func (s *Session) CreateFolder(ctx context.Context, place source.Place) error {
	path := source.CleanPath(place.Path)
	parent := "/"
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if name == "" {
			continue
		}
		if err := s.createFolder(ctx, place, parent, name); err != nil {
			return err
		}
		parent = source.CleanPath(parent + "/" + name)
	}
	return nil
}

func (s *Session) createFolder(ctx context.Context, place source.Place, parent, name string) error {
	body, err := json.Marshal(map[string]string{
		"workspaceId": place.Project,
		"environment": place.Environment,
		"path":        parent,
		"name":        name,
	})
	if err != nil {
		return source.Errorf(source.CodeInternal, "encoding a folder")
	}
	place.Path = parent
	err = s.do(ctx, &call{
		doing:    fmt.Sprintf("creating folder %q in %q", name, place),
		method:   http.MethodPost,
		path:     "/v1/folders",
		body:     body,
		notFound: source.CodePlaceNotFound,
		// Not a write that must not be repeated: the second time finds it there.
		read: func(_ *http.Response, body io.Reader) error {
			var answer struct {
				Folder *struct{} `json:"folder"`
			}
			if err := decodeJSON(body, &answer); err != nil {
				return err
			}
			if answer.Folder == nil {
				return errShape
			}
			return nil
		},
	})
	if status, ok := errors.AsType[*StatusError](err); ok && alreadyThere(status) {
		return nil
	}
	return err
}

func alreadyThere(e *StatusError) bool {
	return e.Status == http.StatusConflict ||
		e.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(e.Message), "already exist")
}
