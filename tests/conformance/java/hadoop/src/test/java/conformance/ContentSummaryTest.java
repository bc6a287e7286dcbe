// SPDX-License-Identifier: Apache-2.0
package conformance;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractContentSummaryTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;

public class ContentSummaryTest extends AbstractContractContentSummaryTest {
	@Override
	protected AbstractFSContract createContract(Configuration configuration) {
		return new OssContract(configuration);
	}
}
