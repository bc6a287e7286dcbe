// SPDX-License-Identifier: Apache-2.0
package conformance;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractRenameTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;

public class RenameTest extends AbstractContractRenameTest {
	@Override
	protected AbstractFSContract createContract(Configuration configuration) {
		return new OssContract(configuration);
	}
}
