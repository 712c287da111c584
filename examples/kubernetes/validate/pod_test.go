//go:build linux

package validate

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	core "k8s.io/api/core/v1"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
)

const token = "pod.proof.1" // the service account's

// TestPods starts the pods: the commands of their containers as processes, with the
// variables they have, and folders for their volumes. The server is an emulated one.
func TestPods(t *testing.T) {
	binaries := build(t)
	for file, spec := range pods(t) {
		t.Run(file, func(t *testing.T) {
			server := infisicaltest.New(t, infisicaltest.Options{})
			set := func(password string) {
				if err := server.Set(source.Place{Project: server.Project(), Environment: "prod", Path: "/"}, "DB_PASSWORD", password); err != nil {
					t.Fatal(err)
				}
			}
			set("before")
			p := newPod(t, spec, server, binaries)
			p.start(spec)
			for _, c := range spec.Containers {
				p.await(c.Name, "hashes to "+hashOf("before"))
			}
			set("after")
			for _, c := range spec.Containers {
				p.await(c.Name, "hashes to "+hashOf("after"))
			}
			p.stop(spec)
			if vaults, _ := filepath.Glob(filepath.Join(p.volumes["state"], "infisync", "*", "vault.*.age")); len(vaults) != 1 {
				t.Errorf("the vaults are %q, want one", vaults)
			}
		})
	}
}

// hashOf is how the app tells which password it has.
func hashOf(password string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(password)))[:12] }

// A pod is one that runs. Its containers have its address and volumes in common.
type pod struct {
	t        *testing.T
	dir      string // the logs
	binaries string
	address  string
	config   map[string]map[string]string // ConfigMaps: name → variable → value
	secrets  map[string]map[string]string // name → key → value
	volumes  map[string]string            // name → folder
	running  map[string]*process          // by the container's name
}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // once ended is closed
}

func newPod(t *testing.T, spec core.PodSpec, server *infisicaltest.Server, binaries string) *pod {
	id, secret := server.Credentials()
	if err := server.ChangeIdentity(id, func(i *infisicaltest.Identity) {
		i.Logins = map[string]map[string]string{"kubernetes-auth": {"jwt": token}}
	}); err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	p := &pod{t: t, dir: t.TempDir(), binaries: binaries, volumes: make(map[string]string), running: make(map[string]*process),
		address: fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254)),
		secrets: map[string]map[string]string{
			"infisical":          {"client-secret": secret + "\n"},
			"infisync-vault-key": {"vault-key": "# public key: " + key.Recipient().String() + "\n" + key.String() + "\n"}, // as age-keygen writes it
		},
		config: configMaps(t)}
	maps.Copy(p.config["infisical"], map[string]string{"INFISICAL_URL": server.URL(), "INFISICAL_CLIENT_ID": id, "INFISICAL_MACHINE_IDENTITY_ID": id})
	for _, volume := range spec.Volumes {
		p.mount(volume)
	}
	t.Cleanup(func() {
		for _, running := range p.running {
			running.cmd.Process.Kill()
			<-running.ended
		}
	})
	return p
}

// mount makes the folder of a volume, with what Kubernetes puts into it.
func (p *pod) mount(volume core.Volume) {
	dir := p.t.TempDir()
	p.volumes[volume.Name] = dir
	write := func(name, content string, mode *int32) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), os.FileMode(*mode)); err != nil {
			p.t.Fatal(err)
		}
	}
	switch {
	case volume.EmptyDir != nil:
		if err := os.Chmod(dir, 0o777|os.ModeSetgid); err != nil {
			p.t.Fatal(err)
		}
	case volume.Secret != nil:
		if p.secrets[volume.Secret.SecretName] == nil {
			p.t.Fatalf("there is no secret %q", volume.Secret.SecretName)
		}
		for name, value := range p.secrets[volume.Secret.SecretName] {
			write(name, value, volume.Secret.DefaultMode)
		}
	case volume.Projected != nil:
		for _, from := range volume.Projected.Sources {
			write(from.ServiceAccountToken.Path, token, volume.Projected.DefaultMode)
		}
	default:
		p.t.Fatalf("the volume %q is of no kind that is known here", volume.Name)
	}
}

// start starts the containers as a kubelet does: one first container after the
// other, a sidecar until it has started up, then the others until they are ready.
func (p *pod) start(spec core.PodSpec) {
	for _, c := range spec.InitContainers {
		started := p.run(c)
		if c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways {
			p.probe(c, c.StartupProbe)
			p.probe(c, c.LivenessProbe)
			continue
		}
		if <-started.ended; started.err != nil {
			p.t.Fatalf("%s ended with: %v\n%s", c.Name, started.err, p.log(c.Name))
		}
	}
	for _, c := range spec.Containers {
		p.run(c)
	}
	for _, c := range spec.Containers {
		for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			p.probe(c, probe)
		}
	}
}

// stop ends the containers, the sidecars last; each has to end well.
func (p *pod) stop(spec core.PodSpec) {
	p.t.Helper()
	end := func(c core.Container) {
		running := p.running[c.Name]
		_ = running.cmd.Process.Signal(syscall.SIGTERM) // a first container has ended
		if <-running.ended; running.err != nil {
			p.t.Errorf("%s ended with: %v\n%s", c.Name, running.err, p.log(c.Name))
		}
	}
	for _, c := range spec.Containers {
		end(c)
	}
	for _, c := range spec.InitContainers {
		end(c)
	}
}

// run starts a container's command.
func (p *pod) run(c core.Container) *process {
	log, err := os.Create(filepath.Join(p.dir, c.Name))
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	var argv []string
	for _, arg := range slices.Concat(c.Command, c.Args) {
		argv = append(argv, p.local(c, arg))
	}
	running := &process{cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	running.cmd.Stdout, running.cmd.Stderr = log, log
	running.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, from := range c.EnvFrom {
		for name, value := range p.config[from.ConfigMapRef.Name] {
			running.cmd.Env = append(running.cmd.Env, name+"="+value)
		}
	}
	for _, variable := range c.Env {
		running.cmd.Env = append(running.cmd.Env, variable.Name+"="+p.local(c, variable.Value))
	}
	running.cmd.Env = append(running.cmd.Env, "INFISYNC_INTERVAL=1s", "INFISYNC_SPLAY=0s") // not to wait
	if err := running.cmd.Start(); err != nil {
		p.t.Fatalf("%s: %v", c.Name, err)
	}
	go func() {
		running.err = running.cmd.Wait()
		close(running.ended)
	}()
	p.running[c.Name] = running
	return running
}

// local returns what a path or an address of the container is on this machine.
func (p *pod) local(c core.Container, text string) string {
	for _, mount := range c.VolumeMounts {
		if rest, ok := strings.CutPrefix(text, mount.MountPath); ok && (rest == "" || rest[0] == '/') {
			return p.volumes[mount.Name] + rest
		}
	}
	if text == "/infisync" || text == "/app" { // what the images hold
		return p.binaries + text
	}
	return strings.Replace(text, "0.0.0.0:", p.address+":", 1)
}

// probe asks until the answer is yes. A container without that probe passes it.
func (p *pod) probe(c core.Container, probe *core.Probe) {
	p.t.Helper()
	if probe == nil {
		return
	}
	url := fmt.Sprintf("http://%s:%d%s", p.address, portOf(c, probe), probe.HTTPGet.Path)
	p.until(c.Name, "passes "+url, func() bool {
		answer, err := http.Get(url)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// await waits until the container has said that.
func (p *pod) await(name, text string) {
	p.t.Helper()
	p.until(name, fmt.Sprintf("says %q", text), func() bool { return strings.Contains(p.log(name), text) })
}

// until waits until a container that runs does what it should.
func (p *pod) until(name, does string, done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-p.running[name].ended:
			p.t.Fatalf("%s ended before it %s: %v\n%s", name, does, p.running[name].err, p.log(name))
		case <-tick.C:
		}
	}
}

func (p *pod) log(name string) string {
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}
