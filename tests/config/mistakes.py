"""What people type who do not know the command yet, and the first line of each answer."""

_RUN = "python -m mnist_exp"
_NOT = "cannot be read as SETTING=VALUE; did you mean"
_EN, _WIDE = "\N{EN DASH}", "\N{FULLWIDTH EQUALS SIGN}"
_SEVERAL = "several values need -m, which runs each: python -m mnist_exp -m"

# (typed, the first line of the answer)
MISTAKES = [
    # Those of a walk through the program as a new user.
    ("optimzer=sgd", "optimzer: no such setting; did you mean optimizer=sgd?"),
    ("optimizer=Adam", "optimizer=Adam: no such option; did you mean optimizer=adam?"),
    ("model=cnn_3x3", "model=cnn_3x3: no such option; did you mean model=cnn3x3?"),
    ("epochs=3", "epochs: no such setting; did you mean schedule.epochs=3?"),
    ("lr=0.1", "lr: no such setting; did you mean optimizer.learning_rate=0.1?"),
    (
        "optimizer.lr=0.1",
        "optimizer.lr: no such setting; did you mean optimizer.learning_rate=0.1?",
    ),
    (
        "--epochs 3",
        "--epochs 3: a setting is written SETTING=VALUE; did you mean schedule.epochs=3?",
    ),
    ("help", f"help: {_RUN} --help explains all settings"),
    (
        "data.train_limit=5000,",
        "data.train_limit=5000,: cannot be read as SETTING=VALUE; did you mean data.train_limit",
    ),
    ("model.filters=16,32", "model.filters=16,32: did you mean 'model.filters=[16,32]'?"),
    (
        "compare --study variants",
        "compare is a command of its own (which runs are better, by how much, and is it luck?): py",
    ),
    ("sweeps=variants", f"sweeps=variants: `-m` is missing; {_RUN} -m sweeps=variants starts a sw"),
    # Short names, and those of other libraries.
    ("epoch=3", "epoch: no such setting; did you mean schedule.epochs=3?"),
    ("EPOCHS=3", "EPOCHS: no such setting; did you mean schedule.epochs=3?"),
    ("training.epochs=3", "training.epochs: no such setting; did you mean schedule.epochs=3?"),
    (
        "trainer.max_epochs=3",
        "trainer.max_epochs: no such setting; did you mean schedule.epochs=3?",
    ),
    ("batch_size=50", "batch_size: no such setting; did you mean schedule.batch_size=50?"),
    ("bs=50", "bs: no such setting; did you mean schedule.batch_size=50?"),
    ("steps=100", "steps: no such setting; did you mean schedule.max_steps=100?"),
    ("--lr=0.1", "--lr=0.1: a setting is written SETTING=VALUE; did you mean optimizer.learning_r"),
    ("-lr 0.1", "-lr 0.1: a setting is written SETTING=VALUE; did you mean optimizer.learning_rat"),
    ("-model=mlp", "-model=mlp: a setting is written SETTING=VALUE; did you mean model=mlp?"),
    ("model.lr=0.1", "model.lr: no such setting; did you mean optimizer.learning_rate=0.1?"),
    (
        "learning-rate=0.1",
        "learning-rate: no such setting; did you mean optimizer.learning_rate=0.1",
    ),
    ("dropout=0.5", "dropout: no such setting; did you mean model.dropout=0.5?"),
    ("keep_prob=0.8", "keep_prob: no such setting; did you mean model.dropout=0.2?"),
    ("wd=0.1", "wd: no such setting; did you mean optimizer=adamw optimizer.weight_decay=0.1?"),
    (
        "momentum=0.9",
        "momentum: no such setting; did you mean optimizer=momentum optimizer.momentu",
    ),
    (
        "optimizer=rmsprop momentum=0.9",
        "momentum: no such setting; did you mean optimizer.momentum",
    ),
    (
        "experiment=notebook_softmax dropout=0.5",
        "dropout: no such setting; did you mean model=cnn3x3 model.dropout=0.5?",
    ),
    ("optim=SGD", "optim: no such setting; did you mean optimizer=sgd?"),
    ("optimizer.name=adam", "optimizer.name: no such setting; did you mean optimizer=adam?"),
    ("random_seed=1", "random_seed: no such setting; did you mean seed=1?"),
    ("random_state=1", "random_state: no such setting; did you mean seed=1?"),
    ("filters=16,32", "filters=16,32: did you mean 'model.filters=[16,32]'?"),
    ("units=[64]", "units: no such setting; did you mean model=mlp 'model.hidden_units=[64]'?"),
    (
        "n_trials=9",
        "n_trials: no such setting; did you mean -m sweeps=NAME hydra.sweeper.n_trials=",
    ),
    (
        "-m seed=1,2 hydra.sweeper.study_name=mine",
        "hydra.sweeper.study_name: no such setting; did you mean -m sweeps=NAME hydra.sweeper.s",
    ),
    (
        "-m hydra.sweeper.n_trial=9",
        "hydra.sweeper.n_trial: no such setting; did you mean -m sweeps",
    ),
    ("sweep=variants", "sweep: no such setting; did you mean -m sweeps=variants?"),
    ("epohcs=3", "epohcs: no such setting; did you mean schedule.epochs=3?"),
    # Signs of Hydra.
    ("+epochs=3", "epochs: no such setting; did you mean schedule.epochs=3?"),
    (
        "+schedule.epochs=3",
        "schedule.epochs: has a value already; schedule.epochs=3 without + chang",
    ),
    ("++x=1", "x: no such setting"),
    ("+model=mlp", "model: has a value already; model=mlp without + changes it"),
    ("~seed", "~seed: a setting cannot be taken away; seed=VALUE changes it"),
    ("~epochs", "~epochs: no such setting to take away; did you mean schedule.epochs=VALUE?"),
    ("a@b=c", "a@b=c: no such group"),
    ("model=null", "model=null: expected GROUP=OPTION, such as model=cnn3x3"),
    # Accidents of a shell, a keyboard or a word processor.
    ("seed = 3", "seed: cannot be read as SETTING=VALUE; did you mean seed=3, without spaces?"),
    ("seed =3", "seed: cannot be read as SETTING=VALUE; did you mean seed=3, without spaces?"),
    ("seed= 3", "3: cannot be read as SETTING=VALUE; did you mean seed=3, without spaces?"),
    ("'seed = 3'", "seed = 3: cannot be read as SETTING=VALUE; did you mean seed=3?"),
    (
        "lr = 3",
        "lr: cannot be read as SETTING=VALUE; did you mean optimizer.learning_rate=3, without sp",
    ),
    ("model.filters=[16, 32]", f"model.filters=[16,: {_NOT} 'model.filters=[16, 32]', in quotes?"),
    (
        "model.filters={8,16}",
        "model.filters={8,16}: cannot be read as SETTING=VALUE; did you mean 'model",
    ),
    ("run_name=my first run seed=1", f"first: {_NOT} 'run_name=my first run', in quotes?"),
    ("“run_name=my run”", f"“run_name=my: {_NOT} 'run_name=my run', in quotes?"),
    ("seed=1 first", "first: cannot be read as SETTING=VALUE; it has no ="),
    ("model.filters=16", "model.filters: expected a list; did you mean 'model.filters=[16]'?"),
    (
        "model.filters=8 model.filters=16",  # what bash makes of model.filters={8,16}
        "model.filters: expected a list; did you mean 'model.filters=[8,16]'?",
    ),
    ("“model.filters=[16,32]”", f"“model.filters=[16,32]”: {_NOT} 'model.filters=[16,32]'?"),
    (
        f"{_EN}epochs 3",
        f"{_EN}epochs 3: a setting is written SETTING=VALUE; did you mean schedule.epochs=3?",
    ),
    ("—multirun seed=1,2", "—multirun: begins with another dash; expected --multirun"),
    (f"seed{_WIDE}3", f"seed{_WIDE}3: cannot be read as SETTING=VALUE; did you mean seed=3?"),
    ("model==mlp", "model==mlp: cannot be read as SETTING=VALUE; did you mean model=mlp?"),
    ("model:mlp", "model:mlp: cannot be read as SETTING=VALUE; did you mean model=mlp?"),
    (
        "model mlp",
        "model: cannot be read as SETTING=VALUE; did you mean model=mlp, without spaces?",
    ),
    (
        "optimizer/adam",
        "optimizer/adam: cannot be read as SETTING=VALUE; did you mean optimizer=adam?",
    ),
    (
        "schedule.epochs=3;",
        "schedule.epochs=3;: cannot be read as SETTING=VALUE; did you mean schedule.",
    ),
    (
        "'seed=3 model=mlp'",
        f"seed=3 model=mlp: {_NOT} seed=3 model=mlp, without quotes around both?",
    ),
    (
        "run_name=a#b",
        "run_name=a#b: cannot be read as SETTING=VALUE; did you mean 'run_name=\"a#b\"'?",
    ),
    (
        "schedule.epochs=[1",
        "schedule.epochs=[1: cannot be read as SETTING=VALUE; the bracket [ is not cl",
    ),
    (
        "seed=interval(1)",
        "seed=interval(1): cannot be read as SETTING=VALUE; interval(1): expected inter",
    ),
    (
        "seed=rnage(3)",
        "seed=rnage(3): cannot be read as SETTING=VALUE; rnage(3): no such function; did ",
    ),
    # Numbers and words.
    (
        "optimizer.learning_rate=0,1",
        "optimizer.learning_rate=0,1: did you mean optimizer.learning_rate=0.1?",
    ),
    ("seed=1,2", f"seed=1,2: {_SEVERAL} seed=1,2"),
    ("objective=[]", "objective=[]: expected one or more of "),
    ("model=mlp,softmax", f"model=mlp,softmax: {_SEVERAL} model=mlp,softmax"),
    (
        "data.train_limit=10k",
        "data.train_limit=10k: expected a whole number; did you mean data.train",
    ),
    ("data.train_limit=1,000", "data.train_limit=1,000: did you mean data.train_limit=1000?"),
    (
        "schedule.max_steps=1e3",
        "schedule.max_steps=1000.0: expected a whole number; did you mean sch",
    ),
    ("model.dropout=50%", "model.dropout=50%: expected a number; did you mean model.dropout=0.5?"),
    ("deterministic=ja", "deterministic=ja: expected true or false"),
    (
        "preflight=warning",
        "preflight=warning: expected one of off, warn, error; did you mean preflig",
    ),
    # Words that are no settings at all.
    ("-help", f"-help: {_RUN} --help explains all settings"),
    ("h", f"h: {_RUN} --help explains all settings"),
    ("/?", f"/?: {_RUN} --help explains all settings"),
    ("—help", f"—help: {_RUN} --help explains all settings"),
    ("--help nonsense", f"--help nonsense: no such group or setting; {_RUN} --help lists them all"),
    ("--multirn seed=1", "--multirn: no such flag; did you mean --multirun?"),
    ("--cfg=jbo", "argument --cfg/-c: invalid choice: 'jbo' (choose from "),
    ("train model=mlp", f"train: training needs no such word: {_RUN} model=mlp"),
    ("cnn3x3", "cnn3x3: cannot be read as SETTING=VALUE; did you mean model=cnn3x3?"),
    (
        "blog_cnn3x3",
        "blog_cnn3x3: cannot be read as SETTING=VALUE; did you mean experiment=blog_cnn3x3?",
    ),
    (
        "model=blog_cnn3x3",
        "model=blog_cnn3x3: no such option; did you mean experiment=blog_cnn3x3?",
    ),
    (
        "experiment=cnn3x3",
        "experiment=cnn3x3: no such option; did you mean experiment=blog_cnn3x3 or model=cnn3x3?",
    ),
    (
        "experiment=blog",
        "experiment=blog: no such option; did you mean experiment=blog_cnn3x3 or init=blog?",
    ),
    ("model=cnn", "model=cnn: no such option; did you mean model=cnn3x3 or model=cnn5x5?"),
    ("modle=mlp", "modle: no such setting; did you mean model=mlp?"),
    ("modle.filters=[8]", "modle.filters: no such setting; did you mean 'model.filters=[8]'?"),
    (
        "notes.txt",
        "notes.txt: cannot be read as SETTING=VALUE; a file here has this name; in the place",
    ),
    (
        "hydra/sweeper=optuna_stduy -m",
        "hydra/sweeper=optuna_stduy: no such option; did you mean hyd",
    ),
    (
        "hydra/sweeper=optuna -m",
        "hydra/sweeper=optuna: no such option; did you mean hydra/sweeper=optuna_study?\n",
    ),
    ("hydra.run.dri=x", "hydra.run.dri: no such setting; did you mean hydra.run.dir=x?"),
    ("'run_name=${naem}'", "run_name=${naem}: there is no setting naem whose value it could take"),
]
