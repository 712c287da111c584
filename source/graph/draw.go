package graph

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/emicklei/dot"
)

// dot returns the graph in the language of Graphviz.
func (g Graph) dot() string {
	drawing := g.draw(func(typ string) any {
		switch typ {
		case TypeService:
			return "box3d"
		case TypeProject:
			return "folder"
		case TypeVault:
			return "cylinder"
		}
		return "box"
	}, func(text string) string {
		// Graphviz reads HTML's character references in every label.
		return strings.ReplaceAll(text, "&", "&amp;")
	})
	drawing.Attr("rankdir", "LR")
	return drawing.String()
}

// mermaid returns the graph as a flowchart of Mermaid.
func (g Graph) mermaid() string {
	drawing := g.draw(func(typ string) any {
		switch typ {
		case TypeService:
			return dot.MermaidShapeSubroutine
		case TypeProject:
			return dot.MermaidShapeStadium
		case TypeVault:
			return dot.MermaidShapeCylinder
		}
		return dot.MermaidShapeRound
	}, quoteMermaid)
	return dot.MermaidFlowchart(drawing, dot.MermaidLeftToRight)
}

// draw builds the drawing: a node for each entity and each target, an edge for
// each relation. shape gives the attribute that shows a type, quote what stands
// for a text of printable characters in a label.
func (g Graph) draw(shape func(typ string) any, quote func(text string) string) *dot.Graph {
	drawing := dot.NewGraph(dot.Directed)
	nodes := make(map[key]dot.Node)
	add := func(k key, label string) dot.Node {
		if node, ok := nodes[k]; ok {
			return node
		}
		// Nodes are written in the order of their ids: by type, then by ID.
		node := drawing.Node(fmt.Sprintf("%d %s", slices.Index(Types(), k.typ), k.id)).Label(quote(printable(label)))
		node.Attr("shape", shape(k.typ))
		nodes[k] = node
		return node
	}
	for _, e := range slices.Concat(g.Entities, g.targets) {
		add(e.key(), e.caption())
	}
	for _, r := range g.Relations {
		drawing.Edge(add(r.fromKey(), r.From), add(r.toKey(), r.To), r.Type)
	}
	return drawing
}

// caption tells entities with one label apart.
func (e Entity) caption() string {
	switch e.Type {
	case TypeSecret:
		return fmt.Sprintf("%s (%s:%s)", e.Name, e.Environment, e.Path)
	case TypeVault:
		return fmt.Sprintf("%s (%s)", e.Host, e.Scope)
	}
	return e.Label()
}

// quoteMermaid writes every character that might mean something to Mermaid, to
// HTML or to Markdown, of which Mermaid takes every label for, as #code;, which
// Mermaid shows as that character.
func quoteMermaid(text string) string {
	var b strings.Builder
	runes := []rune(text)
	plain := func(i int) bool {
		return i >= 0 && i < len(runes) && runes[i] < 0x80 && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		inWord := (r == '_' || r == '-') && plain(i-1) && plain(i+1)
		if inWord || plain(i) || strings.ContainsRune(" /(),", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
