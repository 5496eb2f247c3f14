# SPDX-License-Identifier: ISC
"""The files by which engines call rebuild: their shell steps are run here on the
stand-in project of test_release, one after the other, since an engine that builds
something else would be found out a year later."""
import os
import re
import shutil
import subprocess

import pytest

from statements import TOP, run
from test_release import VERSION, depends_on_its_path, project  # noqa: F401  (a fixture)

ENGINES = TOP / 'reproducible/engines'
yaml = pytest.importorskip('yaml')
pytestmark = pytest.mark.slow


def steps(name):
    """The shell of each job."""
    text = yaml.safe_load((ENGINES / name).read_text())
    if name == 'github.yml':
        return {job: [step['run'] for step in body['steps'] if 'run' in step] for job, body in text['jobs'].items()}
    return {job: body['script'] for job, body in text.items() if isinstance(body, dict) and 'script' in body}


@pytest.mark.parametrize('name', ['github.yml', 'gitlab-ci.yml'])
def test_steps_are_shell(name):
    for job, scripts in steps(name).items():
        assert scripts, job
        text = '\n'.join(re.sub(r'\$\{\{ .*? \}\}', 'x', one) for one in scripts)
        done = subprocess.run(['shellcheck', '-s', 'bash', '-'], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_each_only_calls_rebuild():
    for path in ENGINES.iterdir():
        if path.name != 'compare':
            text = re.sub(r'^\s*#.*', '', path.read_text(), flags=re.M)
            assert re.search('reproducible/rebuild[ "]', text) and 'image/build' not in text and 'make ' not in text, path.name


def test_the_workflow_builds_what_differs_and_compares():
    text = yaml.safe_load((ENGINES / 'github.yml').read_text())
    build = text['jobs']['build']
    assert build['strategy']['fail-fast'] is False and len(build['strategy']['matrix']['runner']) > 1
    assert text['jobs']['compare']['needs'] == 'build' and text['jobs']['compare']['if'] == 'always()'
    known = {line.split()[0] for line in run(TOP / 'reproducible/verify', '--list').stdout.splitlines()}
    gitlab = yaml.safe_load((ENGINES / 'gitlab-ci.yml').read_text())['rebuild']['parallel']['matrix'][0]
    assert set(build['strategy']['matrix']['vary']) | set(gitlab['VARY']) <= known


def run_steps(project, name, job):  # noqa: F811
    """The first step that fails, or the last."""
    commit = project.git('rev-parse', 'HEAD')
    env = project.env | {'GITHUB_SHA': commit, 'CI_COMMIT_SHA': commit, 'VARY': 'blank', 'SUITE': 'bookworm', 'MIRROR': '/nowhere'}
    scripts = [script.replace('${{ matrix.vary }}', 'blank').replace('rebuilt/files/*.layout ', '') for script in steps(name)[job]
               if not re.search('sysctl|apt-get|host-check', script)]     # of the engine's own machine
    if name == 'gitlab-ci.yml':             # one shell for all
        scripts = ['\n'.join(scripts)]
    for script in scripts:
        done = run('bash', '-euo', 'pipefail', '-c', script, cwd=project.top, env=env)
        if done.returncode:
            break
    return done


@pytest.mark.parametrize('name,job', [('github.yml', 'build'), ('gitlab-ci.yml', 'rebuild')])
def test_the_steps_build(project, name, job):  # noqa: F811
    done = run_steps(project, name, job)
    assert done.returncode == 0, done
    assert (project.top / 'rebuilt/SHA256SUMS').exists()
    if name == 'gitlab-ci.yml':
        assert (project.top / 'all/bookworm-blank/SHA256SUMS').exists()


@pytest.mark.parametrize('name,job', [('github.yml', 'build'), ('gitlab-ci.yml', 'rebuild')])
def test_a_disc_that_differs_under_a_circumstance_is_no_green(project, name, job):  # noqa: F811
    """Each job's SHA256SUMS is that of its plain build, so that all were the same."""
    depends_on_its_path(project)
    done = run_steps(project, name, job)
    assert done.returncode == 10 and 'blank DIFFERENT' in done.stderr, done
    # What is handed over says so, too: compare fails, and names it.
    made = project.top / 'rebuilt'
    if name == 'gitlab-ci.yml':
        made = project.top / 'all/bookworm-blank'
    else:
        upload = next(step for step in yaml.safe_load((ENGINES / name).read_text())['jobs'][job]['steps']
                      if 'upload-artifact' in step.get('uses', ''))
        assert upload['if'] == 'always()' and 'rebuilt/verify.table' in upload['with']['path'].split()
    both = project.folder / 'all'
    for one in ('a', 'b'):
        (both / one).mkdir(parents=True)
        shutil.copy(made / 'SHA256SUMS', both / one)
    assert run(ENGINES / 'compare', both).returncode == 0
    shutil.copy(made / 'verify.table', both / 'b')
    done = run(ENGINES / 'compare', both)
    assert done.returncode == 1 and re.search('^DIFFERENT: .*/b/verify.table: blank DIFFERENT ', done.stdout, re.M), done


def test_a_runner_that_is_no_debian_is_told_where_debian_is():
    """Its apt has no archive that a build takes; the tree names none."""
    build = yaml.safe_load((ENGINES / 'github.yml').read_text())['jobs']['build']
    assert build['env'] == {name: '${{ vars.%s }}' % name for name in ('MIRROR', 'SNAPSHOT')}
    check, = (step['run'] for step in build['steps'] if 'MIRROR' in step.get('run', ''))
    assert run('bash', '-e', '-c', check, env={'MIRROR': ''}).returncode == 1
    assert run('bash', '-e', '-c', check, env={'MIRROR': 'http://mirror.example.org/debian'}).returncode == 0
    assert '`MIRROR`' in (TOP / 'docs/REBUILDERS.md').read_text()


def test_compare_names_what_differs(tmp_path):
    def put(name, manifest):
        folder = tmp_path / 'all' / name
        folder.mkdir(parents=True)
        (folder / 'x.manifest').write_text(manifest)
        (folder / 'SHA256SUMS').write_text(run('sha256sum', 'x.manifest', cwd=folder).stdout)
    put('a', f'f 644 0 0 1 {"0" * 64} /etc/x\n')
    assert run(ENGINES / 'compare', tmp_path / 'all').returncode == 3
    put('b', f'f 644 0 0 1 {"0" * 64} /etc/x\n')
    assert run(ENGINES / 'compare', tmp_path / 'all').returncode == 0
    put('c', f'f 600 0 0 1 {"0" * 64} /etc/x\n')
    done = run(ENGINES / 'compare', tmp_path / 'all')
    assert done.returncode == 1 and '/etc/x: mode 644 became 600' in done.stdout and 'x.manifest' in done.stdout


def test_slurm_has_twelve_tasks(project):  # noqa: F811
    assert re.search(r'^#SBATCH --array=0-11$', (ENGINES / 'slurm').read_text(), re.M)
    assert len(run(TOP / 'reproducible/verify', '--list').stdout.splitlines()) >= 12
    project.git('tag', VERSION)
    done = run(project.top / 'reproducible/engines/slurm', cwd=project.top, env=project.env | {
        'SLURM_ARRAY_TASK_ID': '1', 'SLURM_SUBMIT_DIR': str(project.top), 'TAG': VERSION, 'UNSIGNED': '1'})
    assert done.returncode == 0 and (project.top / 'all/blank/SHA256SUMS').exists(), done


def test_the_backend_gives_the_file_that_was_asked_for(project):  # noqa: F811
    assert project.release().returncode == 0
    out = project.folder / 'result'
    out.mkdir()
    name = f'keyroom-{VERSION}-amd64.iso'
    env = project.env | {'REBUILDERD_OUTDIR': str(out)}
    done = run(project.top / 'reproducible/engines/rebuilderd', project.folder / name, env=env)
    assert done.returncode == 0 and (out / name).read_text() == 'the disc\n', done
    for other in ('keyroom-9.9.9-amd64.iso.txt', 'x.iso', 'keyroom-../../x-amd64.iso'):
        assert run(project.top / 'reproducible/engines/rebuilderd', other, env=env).returncode == 3
    assert os.listdir(out) == [name]
