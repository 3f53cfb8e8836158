"""One module per check, in the order of ``verifier.verify``. Each holds one function

    check(case: Case) -> Finding

that never raises because of what was presented, asks nothing of the other checks but what they
wrote into the case, and says ``not_run`` whenever it could not tell.
"""
