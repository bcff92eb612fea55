module @paged_step_int8_keys attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x6x16xf32>) {
    %0 = stablehlo.transpose %arg9, dims = [0, 1, 3, 2] : (tensor<6x2x6x16xf32>) -> tensor<6x2x16x6xf32>
    %1 = stablehlo.abs %0 : tensor<6x2x16x6xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %4 = stablehlo.constant dense<127.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %6 = stablehlo.divide %3, %5 : tensor<6x2x16xf32>
    %7 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %9 = stablehlo.maximum %6, %8 : tensor<6x2x16xf32>
    %10 = stablehlo.constant dense<1.0> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %12 = stablehlo.divide %11, %9 : tensor<6x2x16xf32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x6xf32>
    %14 = stablehlo.multiply %0, %13 : tensor<6x2x16x6xf32>
    %15 = stablehlo.constant dense<0.5> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<6x2x16x6xf32>
    %17 = stablehlo.add %14, %16 : tensor<6x2x16x6xf32>
    %18 = stablehlo.floor %17 : tensor<6x2x16x6xf32>
    %19 = stablehlo.convert %18 : (tensor<6x2x16x6xf32>) -> tensor<6x2x16x6xi8>
    %20 = stablehlo.transpose %19, dims = [0, 1, 3, 2] : (tensor<6x2x16x6xi8>) -> tensor<6x2x6x16xi8>
    %21 = stablehlo.slice %arg0 [0:5, 36:48] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %22 = stablehlo.reshape %21 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %23 = stablehlo.constant dense<0.16666667> : tensor<f32>
    %24 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %25 = stablehlo.multiply %22, %22 : tensor<5x2x6xf32>
    %26 = stablehlo.constant dense<0.0> : tensor<f32>
    %27 = stablehlo.reduce(%25 init: %26) applies stablehlo.add across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %28 = stablehlo.broadcast_in_dim %23, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %29 = stablehlo.multiply %27, %28 : tensor<5x2xf32>
    %30 = stablehlo.broadcast_in_dim %24, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %31 = stablehlo.add %29, %30 : tensor<5x2xf32>
    %32 = stablehlo.rsqrt %31 : tensor<5x2xf32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %34 = stablehlo.multiply %22, %33 : tensor<5x2x6xf32>
    %35 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<6xf32>) -> tensor<5x2x6xf32>
    %36 = stablehlo.multiply %34, %35 : tensor<5x2x6xf32>
    %37 = stablehlo.slice %36 [0:5, 0:2, 0:3] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %38 = stablehlo.slice %36 [0:5, 0:2, 3:6] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %39 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %40 = stablehlo.multiply %37, %39 : tensor<5x2x3xf32>
    %41 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %42 = stablehlo.multiply %38, %41 : tensor<5x2x3xf32>
    %43 = stablehlo.subtract %40, %42 : tensor<5x2x3xf32>
    %44 = stablehlo.multiply %38, %39 : tensor<5x2x3xf32>
    %45 = stablehlo.multiply %37, %41 : tensor<5x2x3xf32>
    %46 = stablehlo.add %44, %45 : tensor<5x2x3xf32>
    %47 = stablehlo.concatenate %43, %46, dim = 2 : (tensor<5x2x3xf32>, tensor<5x2x3xf32>) -> tensor<5x2x6xf32>
    %48 = stablehlo.abs %47 : tensor<5x2x6xf32>
    %49 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %50 = stablehlo.reduce(%48 init: %49) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %51 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %52 = stablehlo.divide %50, %51 : tensor<5x2xf32>
    %53 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %54 = stablehlo.maximum %52, %53 : tensor<5x2xf32>
    %55 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %56 = stablehlo.divide %55, %54 : tensor<5x2xf32>
    %57 = stablehlo.broadcast_in_dim %56, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %58 = stablehlo.multiply %47, %57 : tensor<5x2x6xf32>
    %59 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<5x2x6xf32>
    %60 = stablehlo.add %58, %59 : tensor<5x2x6xf32>
    %61 = stablehlo.floor %60 : tensor<5x2x6xf32>
    %62 = stablehlo.convert %61 : (tensor<5x2x6xf32>) -> tensor<5x2x6xi8>
    %63 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %64 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %65 = stablehlo.compare EQ, %64, %63, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %66 = stablehlo.convert %65 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %67 = stablehlo.constant dense<0.0> : tensor<f32>
    %68 = stablehlo.reduce(%66 init: %67) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %69 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %70 = stablehlo.compare GE, %68, %69, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %71 = stablehlo.transpose %20, dims = [0, 3, 1, 2] : (tensor<6x2x6x16xi8>) -> tensor<6x16x2x6xi8>
    %72 = stablehlo.reshape %71 : (tensor<6x16x2x6xi8>) -> tensor<96x2x6xi8>
    %73 = stablehlo.convert %62 : (tensor<5x2x6xi8>) -> tensor<5x2x6xf32>
    %74 = stablehlo.dot_general %66, %73, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %75 = stablehlo.convert %74 : (tensor<96x2x6xf32>) -> tensor<96x2x6xi8>
    %76 = stablehlo.broadcast_in_dim %70, dims = [0] : (tensor<96xi1>) -> tensor<96x2x6xi1>
    %77 = stablehlo.select %76, %75, %72 : tensor<96x2x6xi1>, tensor<96x2x6xi8>
    %78 = stablehlo.reshape %77 : (tensor<96x2x6xi8>) -> tensor<6x16x2x6xi8>
    %79 = stablehlo.transpose %78, dims = [0, 2, 3, 1] : (tensor<6x16x2x6xi8>) -> tensor<6x2x6x16xi8>
    %80 = stablehlo.convert %79 : (tensor<6x2x6x16xi8>) -> tensor<6x2x6x16xf32>
    return %80 : tensor<6x2x6x16xf32>
  }
}
