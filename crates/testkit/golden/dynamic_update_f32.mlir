module @dynamic_update_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x1x4xf32>, %arg2: tensor<1xi32>, %arg3: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x1x4xf32>) {
    %0 = stablehlo.reshape %arg2 : (tensor<1xi32>) -> tensor<i32>
    %1 = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.dynamic_update_slice %arg0, %arg1, %1, %0, %1 : (tensor<2x3x4xf32>, tensor<2x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x3x4xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<2x1x4xf32>
    %4 = stablehlo.constant dense<0> : tensor<i32>
    %5 = stablehlo.dynamic_update_slice %arg3, %3, %4, %0, %4 : (tensor<2x3x4xf32>, tensor<2x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x3x4xf32>
    %6 = stablehlo.constant dense<0> : tensor<i32>
    %7 = stablehlo.dynamic_slice %arg3, %6, %0, %6, sizes = [2, 1, 4] : (tensor<2x3x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x4xf32>
    return %2, %5, %7 : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x1x4xf32>
  }
}
