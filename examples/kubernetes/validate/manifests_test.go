// Package validate checks the manifests against the types that a cluster has. It is
// a module of its own, so that infisync does not depend on them.
package validate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// readManifests returns what the manifests hold, by file. A field that the API does
// not know, or one that is there twice, fails the test.
func readManifests(t *testing.T) map[string][]runtime.Object {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{apps.AddToScheme, core.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	objects := make(map[string][]runtime.Object)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
		document := make([]byte, len(text))
		for {
			n, err := documents.Read(document)
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			object, _, err := strict.Decode(document[:n], nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			objects[filepath.Base(file)] = append(objects[filepath.Base(file)], object)
		}
	}
	return objects
}

// pods returns the pods of the Deployments, by file.
func pods(t *testing.T) map[string]core.PodSpec {
	pods := make(map[string]core.PodSpec)
	for file, objects := range readManifests(t) {
		for _, object := range objects {
			if d, ok := object.(*apps.Deployment); ok {
				pods[file] = d.Spec.Template.Spec
				if !maps.Equal(d.Spec.Selector.MatchLabels, d.Spec.Template.Labels) {
					t.Errorf("%s: the Deployment does not select its own pods", file)
				}
			}
		}
	}
	if len(pods) != 3 {
		t.Fatalf("%d manifests have a Deployment, want 3", len(pods))
	}
	return pods
}

func containers(pod core.PodSpec) []core.Container {
	return slices.Concat(pod.InitContainers, pod.Containers)
}

// configMaps returns the data of infisical.yaml by name.
func configMaps(t *testing.T) map[string]map[string]string {
	data := make(map[string]map[string]string)
	for _, object := range readManifests(t)["infisical.yaml"] {
		m := object.(*core.ConfigMap)
		data[m.Name] = m.Data
	}
	return data
}

// TestRestricted: a namespace that enforces the Pod Security Standard "restricted"
// takes the pods, and no container can write but to its volumes.
func TestRestricted(t *testing.T) {
	for file, pod := range pods(t) {
		p := pod.SecurityContext
		if p.RunAsNonRoot == nil || !*p.RunAsNonRoot || *p.RunAsUser == 0 || p.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: the pod may run as root, or without a seccomp profile", file)
		}
		for _, c := range containers(pod) {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				!slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s: container %s has rights that it does not need", file, c.Name)
			}
		}
	}
}

// TestReferences: what a container mounts or is configured by is there, and each path
// in a variable or a command is below something that is mounted.
func TestReferences(t *testing.T) {
	configured := configMaps(t)
	for file, pod := range pods(t) {
		volumes := make(map[string]bool)
		for _, v := range pod.Volumes {
			volumes[v.Name] = true
		}
		for _, c := range containers(pod) {
			mounted := func(path string) bool {
				return slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return strings.HasPrefix(path, m.MountPath+"/") })
			}
			for _, m := range c.VolumeMounts {
				if !volumes[m.Name] {
					t.Errorf("%s: container %s mounts %q, which the pod does not have", file, c.Name, m.Name)
				}
			}
			for _, from := range c.EnvFrom {
				if configured[from.ConfigMapRef.Name] == nil {
					t.Errorf("%s: container %s is configured by %q, which is not there", file, c.Name, from.ConfigMapRef.Name)
				}
			}
			for _, v := range c.Env {
				if strings.HasPrefix(v.Value, "/") && !mounted(v.Value) {
					t.Errorf("%s: container %s has %s=%s, where nothing is mounted", file, c.Name, v.Name, v.Value)
				}
			}
			if strings.HasPrefix(c.Command[0], "/opt/") && !mounted(c.Command[0]) {
				t.Errorf("%s: container %s starts %q, where nothing is mounted", file, c.Name, c.Command[0])
			}
		}
	}
}

// portOf returns the port that a probe asks, which it names; 0: there is none.
func portOf(c core.Container, probe *core.Probe) int32 {
	for _, port := range c.Ports {
		if port.Name == probe.HTTPGet.Port.StrVal {
			return port.ContainerPort
		}
	}
	return 0
}

// TestProbes: a probe asks for what infisync serves at that address.
func TestProbes(t *testing.T) {
	for file, pod := range pods(t) {
		probed := 0
		for _, c := range containers(pod) {
			for path, probe := range map[string]*core.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
				if probe == nil {
					continue
				}
				probed++
				if at := fmt.Sprintf("0.0.0.0:%d", portOf(c, probe)); probe.HTTPGet.Path != path || !slices.Contains(c.Command, at) {
					t.Errorf("%s: container %s is asked for %s of %s, which it does not serve", file, c.Name, probe.HTTPGet.Path, at)
				}
			}
		}
		if probed != 2 {
			t.Errorf("%s has %d probes, want 2", file, probed)
		}
	}
}

// TestFlags: infisync takes the flags and the variables.
func TestFlags(t *testing.T) {
	binary := filepath.Join(build(t), "infisync")
	config := configMaps(t)
	asked := 0
	for file, pod := range pods(t) {
		for _, c := range containers(pod) {
			if filepath.Base(c.Command[0]) != "infisync" {
				continue
			}
			asked++
			args, program := c.Command[1:], c.Args
			if end := slices.Index(args, "--"); end >= 0 {
				args, program = args[:end], append(args[end+1:], program...)
			}
			if runs := args[0] == "run"; runs != (len(program) > 0) {
				t.Errorf("%s: container %s: %q is given the program %q", file, c.Name, args[0], program)
			}
			help, err := exec.Command(binary, append(slices.Clone(args), "--help")...).CombinedOutput()
			if err != nil {
				t.Errorf("%s: container %s: infisync %q: %v\n%s", file, c.Name, args, err, help)
			}
			var names []string
			for _, from := range c.EnvFrom {
				names = slices.AppendSeq(names, maps.Keys(config[from.ConfigMapRef.Name]))
			}
			for _, v := range c.Env {
				names = append(names, v.Name)
			}
			for _, name := range names {
				want := "$" + name
				if flag, ok := strings.CutPrefix(name, "INFISYNC_"); ok {
					want = "--" + strings.ReplaceAll(strings.ToLower(flag), "_", "-") + " "
				}
				if !bytes.Contains(help, []byte(want)) {
					t.Errorf("%s: container %s: infisync %s does not know the variable %s", file, c.Name, args[0], name)
				}
			}
		}
	}
	if asked != 5 {
		t.Errorf("%d containers run infisync, want 5", asked)
	}
}

// build makes what the images hold, and returns the folder it is in.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir, ".", "./examples/demo/app")
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return dir
}
